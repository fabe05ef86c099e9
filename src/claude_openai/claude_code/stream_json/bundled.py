"""The Claude Code that ships in the SDK's wheel, found without importing the SDK."""

from importlib.util import find_spec
from pathlib import Path


def bundled_cli() -> Path:
    """Where the SDK itself looks for it (`SubprocessCLITransport._find_bundled_cli`), whether or not it is there.

    Raises:
        ModuleNotFoundError: the SDK is not installed.
    """
    found = find_spec("claude_agent_sdk")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("claude_agent_sdk")
    folder = Path(found.origin).parent / "_bundled"
    windows = folder / "claude.exe"
    return windows if windows.exists() else folder / "claude"
