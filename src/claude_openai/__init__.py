"""An OpenAI-compatible server whose answers come from Claude Code. Nothing but the version lives here."""

from importlib.metadata import version

__version__ = version("claude-openai")
