"""The environment of a Claude Code that must touch no account and no network but a simulator on this machine."""

from collections.abc import Mapping
from pathlib import Path

_KEPT = frozenset({"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC", "PATHEXT"})
"""What a program needs to run at all; no home, no key, no proxy, no cloud."""


def simulated_login(base_url: str, home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Everything Claude Code is given: an empty `home`, the simulator's address, a key that opens nothing.

    Of `environ` only what a program needs to run at all is kept. `home` must be a folder that is removed afterwards.
    """
    kept = {name: value for name, value in environ.items() if name.upper() in _KEPT}
    return {
        **kept,
        "HOME": str(home),
        "USERPROFILE": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "ANTHROPIC_BASE_URL": base_url,
        "ANTHROPIC_API_KEY": "sk-ant-simulated",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "NO_PROXY": "127.0.0.1,localhost",
    }
