"""A small deterministic model behind Anthropic's Messages API, for tests, demonstrations and benchmarks without an
account. It ships with the server, so that its users can test with it too. `simulator` is the HTTP server, `script` has
the answers that a test can give it, `model` answers where there is no script.
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
