"""The `claude` command's way to Claude Code, without the SDK: one process for each answer."""

from claude_openai.claude_code.cli.backend import CliBackend, CliSettings
from claude_openai.claude_code.processes.executables import installed_cli

__all__ = ["CliBackend", "CliSettings", "installed_cli"]
