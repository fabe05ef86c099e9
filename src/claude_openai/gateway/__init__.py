"""The use cases: what happens between an accepted request and a backend's answer."""

from claude_openai.gateway.gateway import Gateway, GatewayLimits, ModelOptions, QueueLimits
from claude_openai.gateway.runs import RunRegistry
from claude_openai.gateway.session_pool import SessionLimits
from claude_openai.gateway.timeouts import Timeouts

__all__ = ["Gateway", "GatewayLimits", "ModelOptions", "QueueLimits", "RunRegistry", "SessionLimits", "Timeouts"]
