"""Where servers of this user keep what lives no longer than they do: the registry of those that run (`instances`) and
the scratch folders of their processes (`claude_code.processes.scratch`).

The places are the same for every server and command of one user, whatever their settings: so a command finds a server
that was started elsewhere, and a server keeps its agents from the folders of all others too. The temporary folder comes
first: it is this machine's (a home may be shared by several), it lasts when the user logs out (the folder of
XDG_RUNTIME_DIR does not), and files of any size may lie there. Another user can take the name there, but not stop a
start: the next place is used then.
"""

import getpass
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from claude_openai.settings import process_environment

NAME: Final = "claude-openai"

LONGEST: Final = 48
"""Bytes of the path of a place. Below it a process has its folder for temporary files (`/s-12345678/12345678/t`, 22),
in which Claude Code's sandbox makes sockets (`/claude-socks-0123456789abcdef.sock`, 35, measured); the path of a socket
has 107 on Linux. Where it is longer, an agent's commands do not run. The sandbox of macOS makes none."""


def runtime_folders() -> tuple[Path, ...]:
    """The places, best first. None of them need be there, or be usable."""
    return tuple(dict.fromkeys(_places()))


def _places() -> Iterator[Path]:
    with suppress(FileNotFoundError):  # nothing can be written, not even here
        yield in_temporary(Path(tempfile.gettempdir()))
    named = Path(process_environment().get("XDG_RUNTIME_DIR", ""))
    if named.is_absolute() and _is_ours(named):  # the specification says to ignore any other
        yield named / NAME
    with suppress(RuntimeError):  # a user without a home
        yield Path("~/.claude-openai/run").expanduser()


def in_temporary(folder: Path) -> Path:
    """This user's place in a temporary folder that all users share."""
    user = getpass.getuser() if sys.platform == "win32" else os.geteuid()
    return folder / f"{NAME}-{user}"


def made(folder: Path) -> None:
    """Make one of the places if it is not there.

    Raises:
        OSError: it cannot be made, or is not this user's alone.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if fault := fault_of(folder):
        raise PermissionError(f"{folder} {fault}")


def fault_of(folder: Path) -> str | None:
    """Why nothing in a place that is there may be trusted; None where it is this user's alone.

    Whoever else can write there could have us signal, read and remove what they like.

    Raises:
        OSError: it is not there.
    """
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder"
    if sys.platform != "win32" and found.st_uid != os.geteuid():
        return "belongs to another user"
    if sys.platform != "win32" and stat.S_IMODE(found.st_mode) & 0o077:
        return "is open to other users"
    return None


def is_private(folder: Path) -> bool:
    """Whether it is there, a folder, and this user's alone."""
    with suppress(OSError):
        return fault_of(folder) is None
    return False


def _is_ours(folder: Path) -> bool:
    if sys.platform == "win32":
        return True
    with suppress(OSError):
        return folder.stat().st_uid == os.geteuid()
    return False
