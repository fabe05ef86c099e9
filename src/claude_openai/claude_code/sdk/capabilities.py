"""What the SDK backend can do, known before the SDK is loaded."""

from typing import Final

from claude_openai.claude_code.model_facts import facts_of
from claude_openai.core.ports import Capabilities

CAPABILITIES: Final = Capabilities(agent=True, model_facts=facts_of)
"""Agents need an `agent_policy` besides."""
