"""Builds a running server from settings, and runs the checks of `claude-openai doctor`."""
