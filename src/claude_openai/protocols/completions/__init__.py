"""The older completions: a prompt is a user message, so each completion is a chat completion in another form."""
