"""An OpenAI-compatible server whose answers come from Claude Code. Nothing but the version lives here."""

__version__ = "0.1.0"
