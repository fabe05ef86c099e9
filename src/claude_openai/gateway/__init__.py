"""The use cases: what happens between an accepted request and a backend's answer."""

from claude_openai.gateway.gateway import Gateway, Limits

__all__ = ["Gateway", "Limits"]
