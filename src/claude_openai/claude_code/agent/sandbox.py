"""Claude Code's sandbox for commands: whether it works on this machine, and its settings.

On Linux it needs `bwrap` (bubblewrap), `socat`, and a kernel that lets this user create namespaces; macOS has it built
in. In it commands read the allowed folders, the process's temporary folder and the system's programs, and write to the
work folders and that temporary folder. They have no network and none of Claude Code's credentials.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from anyio import to_thread

from claude_openai.claude_code.agent.git_paths import control, unmade_modules
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths

_PROBE_SECONDS: Final = 5
"""Longest wait for the trial, which takes 10 ms."""

_PROGRAMS: Final = (
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/usr",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/nix/store",
    "/opt/homebrew",
    "/System",
    "/Library/Developer",
)
"""Folders of the system's programs and libraries, without files of a user."""

_PLAIN: Final = frozenset(
    {"PATH", "HOME", "USERPROFILE", "LANG", "TZ", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TEMP", "TMP"}
)
"""Environment variables that commands get."""


def works() -> bool | None:
    """Return whether the sandbox works on this machine, by a trial; None where that took too long. Windows has none."""
    if sys.platform == "darwin":
        return shutil.which("sandbox-exec") is not None
    bwrap = shutil.which("bwrap")
    if sys.platform != "linux" or bwrap is None or shutil.which("socat") is None:
        return False
    probe = [bwrap, "--ro-bind", "/", "/", "--unshare-all", "--proc", "/proc", "--dev", "/dev", "true"]
    try:
        return subprocess.run(probe, capture_output=True, timeout=_PROBE_SECONDS, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return None
    except OSError:
        return False


class SandboxProbe:
    """Calls `works` in a thread when the first agent starts, and caches its result."""

    def __init__(self, works: Callable[[], bool | None] = works) -> None:
        self._works = works
        self._known: bool | None = None

    async def works(self) -> bool:
        """Return whether commands can run. After a trial that took too long they cannot; the next agent tries again."""
        if self._known is None:
            self._known = await to_thread.run_sync(self._works)
        return self._known or False


def unwritable(protected: ProtectedPaths, work: tuple[str, ...]) -> tuple[str, ...]:
    """Return the paths that commands in the folders `work` must neither write nor create."""
    return (*protected.private, *protected.executed, *control(work), *unmade_modules(work))


def settings(
    readable: Iterable[str],
    work: Iterable[str],
    own: str,
    protected: ProtectedPaths,
    variables: Iterable[str],
) -> Mapping[str, object]:
    """Return Claude Code's `sandbox` setting. Claude Code requests permissions as without a sandbox, and runs no
    command outside the sandbox.

    Commands read `readable`, and write to the folders `work` and the process's temporary folder `own`. They do not read
    private paths within `readable`, write or create no protected path, and get only the plain ones of `variables`.
    """
    work = tuple(work)
    secrets = sorted(name for name in variables if name not in _PLAIN and not name.startswith("LC_"))
    there = [path for path in protected.logins if os.path.exists(path)]  # noqa: PTH110 -- says no where Path raises
    return {
        "enabled": True,
        "failIfUnavailable": True,
        "allowUnsandboxedCommands": False,
        "autoAllowBashIfSandboxed": False,
        # The defaults, stated since a user's own settings may differ.
        "enableWeakerNestedSandbox": False,
        "enableWeakerNetworkIsolation": False,
        "allowNestedUserNamespaces": False,
        "allowAppleEvents": False,
        "filesystem": {
            "disabled": False,
            "denyRead": ["/"],
            "allowRead": [*readable, own, *_PROGRAMS],
            "allowWrite": [*work, own],
            "denyWrite": [*unwritable(protected, work)],
        },
        "network": {
            "allowedDomains": [],
            # Wins over whatever allows a host: other settings, a rule for WebFetch, a mode that approves every request
            # (measured). It does not affect WebFetch itself.
            "deniedDomains": ["*"],
            "strictAllowlist": True,
            "allowAllUnixSockets": False,
            "allowLocalBinding": False,
        },
        "credentials": {
            # A path that is created later is hidden from the next command on (measured), such as another server's.
            "files": [{"path": path, "mode": "deny"} for path in (*there, *protected.server)],
            "envVars": [{"name": name, "mode": "deny"} for name in secrets],
        },
    }
