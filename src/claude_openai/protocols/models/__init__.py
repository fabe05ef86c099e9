"""The list of models, in OpenAI's form."""
