"""The list of models, in the form of OpenAI."""
