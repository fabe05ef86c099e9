"""The sandbox that Claude Code has for commands: whether it works on this machine, and how it is set.

On Linux it needs `bwrap` (bubblewrap) and `socat`, and a kernel that lets this user make namespaces; macOS has it
built in. Inside it there is nothing to read but the allowed folders, the process's own and the system's programs, and
nothing to write to but the folders of the work. There is no network, and no variable that Claude Code signs in with.
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
"""It takes 10 ms."""

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
"""Where systems keep programs and what those need; nothing of any user's."""

_PLAIN: Final = frozenset(
    {"PATH", "HOME", "USERPROFILE", "LANG", "TZ", "USER", "LOGNAME", "SHELL", "TERM", "TMPDIR", "TEMP", "TMP"}
)
"""Variables of the environment that are no secret."""


def works() -> bool | None:
    """Whether commands can be held on this machine, tried out; None where the trial took too long to say. Claude Code
    itself refuses to start where it finds that they cannot. Windows has nothing for it.
    """
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
    """Asks `works` when the first agent starts, beside everything else; what was answered once is true for good."""

    def __init__(self, works: Callable[[], bool | None] = works) -> None:
        self._works = works
        self._known: bool | None = None

    async def works(self) -> bool:
        """Where no answer came in time there are no commands for now, and the next agent asks again."""
        if self._known is None:
            self._known = await to_thread.run_sync(self._works)
        return self._known or False


def unwritable(protected: ProtectedPaths, work: tuple[str, ...]) -> tuple[str, ...]:
    """What commands whose `work` is in these folders must neither write nor make."""
    return (*protected.private, *protected.executed, *control(work), *unmade_modules(work))


def settings(
    readable: Iterable[str],
    work: Iterable[str],
    own: str,
    protected: ProtectedPaths,
    variables: Iterable[str],
) -> Mapping[str, object]:
    """Claude Code's `sandbox` setting: commands ask as they would without, and never leave it. They read what is
    `readable`, and write in the folders of the `work` and in the process's `own`. What is private cannot be read, even
    where it lies in what is `readable`, and no protected or executed path be written or made. They do not get
    the `variables` that are not plain.
    """
    work = tuple(work)
    secrets = sorted(name for name in variables if name not in _PLAIN and not name.startswith("LC_"))
    there = [path for path in protected.logins if os.path.exists(path)]  # noqa: PTH110 -- says no where Path raises
    return {
        "enabled": True,
        "failIfUnavailable": True,
        "allowUnsandboxedCommands": False,
        "autoAllowBashIfSandboxed": False,
        # As they are anyway, but a user's own settings may say otherwise.
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
            # What is denied stays so, whatever else is allowed: by another's settings, a rule for WebFetch, a mode that
            # answers yes to whatever asks (measured). It says nothing of WebFetch itself.
            "deniedDomains": ["*"],
            "strictAllowlist": True,
            "allowAllUnixSockets": False,
            "allowLocalBinding": False,
        },
        "credentials": {
            # What is not there yet is hidden from the next command on (measured): others of our servers come and go.
            "files": [{"path": path, "mode": "deny"} for path in (*there, *protected.server)],
            "envVars": [{"name": name, "mode": "deny"} for name in secrets],
        },
    }
