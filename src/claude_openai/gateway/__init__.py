"""The use cases: what happens between an accepted request and a backend's answer."""

from claude_openai.gateway.gateway import Choice, Gateway, Limits, Queue
from claude_openai.gateway.runs import Runs
from claude_openai.gateway.session_pool import Keep
from claude_openai.gateway.timeouts import Patience

__all__ = ["Choice", "Gateway", "Keep", "Limits", "Patience", "Queue", "Runs"]
