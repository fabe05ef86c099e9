"""The Claude Agent SDK's way to Claude Code: the only package that imports `claude_agent_sdk`."""

from claude_openai.claude_code.processes.executables import bundled_cli
from claude_openai.claude_code.sdk.agent import AgentPolicy
from claude_openai.claude_code.sdk.backend import SdkBackend, SdkSettings
from claude_openai.claude_code.sdk.session import RecyclePolicy

__all__ = ["AgentPolicy", "RecyclePolicy", "SdkBackend", "SdkSettings", "bundled_cli"]
