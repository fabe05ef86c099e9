"""The use cases: what happens between an accepted request and a backend's answer."""

from claude_openai.gateway.gateway import Choice, Gateway, Limits

__all__ = ["Choice", "Gateway", "Limits"]
