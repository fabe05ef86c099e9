"""The environment of a Claude Code that reaches no account and no network, only a simulator on this machine."""

from collections.abc import Mapping
from pathlib import Path

_KEPT = frozenset({"PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT", "COMSPEC", "PATHEXT"})
"""The variables that any program needs. There is no home, key, proxy or cloud provider among them."""


def simulated_login(base_url: str, home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of Claude Code: an empty `home`, the simulator's address, a key that no account has.

    Of `environ` only the variables remain that any program needs. The caller removes the folder `home` afterwards.
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
