"""Checks of what the model wrote against the schemas of a client, bounded in time."""
