"""Finds the Claude Code executable that a backend runs by default, without importing the SDK."""

import shutil
from importlib.util import find_spec
from pathlib import Path


def bundled_cli() -> Path:
    """Return the path of the executable in the SDK's wheel, whether or not it exists. The SDK itself looks there, too
    (`SubprocessCLITransport._find_bundled_cli`).

    Raises:
        ModuleNotFoundError: the SDK is not installed.
    """
    found = find_spec("claude_agent_sdk")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("claude_agent_sdk")
    folder = Path(found.origin).parent / "_bundled"
    windows = folder / "claude.exe"
    return windows if windows.exists() else folder / "claude"


def installed_cli() -> str:
    """Return the `claude` on PATH, for a Claude Code that differs from the SDK's; without one, the SDK's own."""
    return shutil.which("claude") or str(bundled_cli())
