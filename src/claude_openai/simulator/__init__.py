"""A small deterministic model behind Anthropic's Messages API: for tests, demonstrations and benches without
an account. `simulator` is the server, `script` what a test may make it say, `model` what it says by itself.
"""

from claude_openai.simulator.model import simulated_model
from claude_openai.simulator.recorded import JsonObject, RecordedRequest, UnscriptedPath
from claude_openai.simulator.script import (
    CREDIT_BALANCE,
    PROMPT_TOO_LONG,
    Answer,
    Block,
    Cut,
    Failure,
    Fault,
    Gate,
    Malformed,
    Piece,
    Refused,
    Replies,
    Reply,
    Script,
    Stall,
    StopReason,
    StreamError,
    Text,
    Thinking,
    ToolUse,
)
from claude_openai.simulator.simulator import Simulator

__all__ = [
    "CREDIT_BALANCE",
    "PROMPT_TOO_LONG",
    "Answer",
    "Block",
    "Cut",
    "Failure",
    "Fault",
    "Gate",
    "JsonObject",
    "Malformed",
    "Piece",
    "RecordedRequest",
    "Refused",
    "Replies",
    "Reply",
    "Script",
    "Simulator",
    "Stall",
    "StopReason",
    "StreamError",
    "Text",
    "Thinking",
    "ToolUse",
    "UnscriptedPath",
    "simulated_model",
]
