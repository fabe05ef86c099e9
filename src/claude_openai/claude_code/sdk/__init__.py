"""The Claude Agent SDK's way to Claude Code: the only package that imports `claude_agent_sdk`.

Each name is loaded when it is first used: a start of the server loads the SDK while its first Claude Code starts
(`waiting`), and either takes half a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from claude_openai.claude_code.processes.executables import bundled_cli
    from claude_openai.claude_code.sdk.agent import AgentPolicy
    from claude_openai.claude_code.sdk.backend import SdkBackend, SdkSettings
    from claude_openai.claude_code.sdk.session import RecyclePolicy

__all__ = ["AgentPolicy", "RecyclePolicy", "SdkBackend", "SdkSettings", "bundled_cli"]

_MODULES: Final = {
    "AgentPolicy": "sdk.agent",
    "RecyclePolicy": "sdk.session",
    "SdkBackend": "sdk.backend",
    "SdkSettings": "sdk.backend",
    "bundled_cli": "processes.executables",
}
"""The module of each name, in `claude_code`."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"claude_openai.claude_code.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
