"""The Claude Agent SDK's way to Claude Code: the only package that imports `claude_agent_sdk`."""

from claude_openai.backends.claude.bundled import bundled_cli
from claude_openai.backends.sdk.agent import Ground
from claude_openai.backends.sdk.backend import SdkBackend, SdkSettings
from claude_openai.backends.sdk.session import Wear

__all__ = ["Ground", "SdkBackend", "SdkSettings", "Wear", "bundled_cli"]
