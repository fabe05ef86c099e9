"""The older completions: a prompt is what a user says, so each is a chat completion in another form."""
