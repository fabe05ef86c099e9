"""The use cases: what happens between an accepted request and a backend's answer."""

from claude_openai.gateway.conversations import Keep
from claude_openai.gateway.deadlines import Patience
from claude_openai.gateway.gateway import Choice, Gateway, Limits, Queue
from claude_openai.gateway.runs import Runs

__all__ = ["Choice", "Gateway", "Keep", "Limits", "Patience", "Queue", "Runs"]
