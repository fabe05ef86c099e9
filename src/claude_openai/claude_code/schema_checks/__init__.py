"""Checks the model's answers and calls against the schemas of a client, in bounded time."""
