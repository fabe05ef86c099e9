"""Where the servers of this user keep files that live no longer than they do: the registry of running servers
(`instances`) and the scratch folders of their processes (`claude_code.processes.scratch`).

The folders are the same for every server and command of one user, whatever their settings. So a command finds a server
that was started elsewhere, and a server keeps its agents out of the folders of all others too. The temporary folder
comes first: it belongs to this machine (several machines may share a home), it outlives the user's login session (the
folder of XDG_RUNTIME_DIR does not), and it takes files of any size. If another user has taken the name there, the start
does not fail: it uses the next folder.
"""

import getpass
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from claude_openai.settings import process_environment

NAME: Final = "claude-openai"

LONGEST: Final = 48
"""Bytes of the path of such a folder. A process has its temporary folder in it (`/s-12345678/12345678/t`, 22 bytes), in
which Claude Code's sandbox makes sockets (`/claude-socks-0123456789abcdef.sock`, 35, measured); the path of a socket
has 107 on Linux. Where it is longer, an agent's commands do not run. The sandbox of macOS makes no sockets."""


def runtime_folders() -> tuple[Path, ...]:
    """The folders, best first. They may be missing or unusable."""
    folders: list[Path] = []
    with suppress(FileNotFoundError):  # no folder can be written, not even the working directory
        folders.append(in_temporary(Path(tempfile.gettempdir())))
    named = Path(process_environment().get("XDG_RUNTIME_DIR", ""))
    with suppress(OSError):  # the XDG specification says to ignore a relative path, and a folder of another user
        if named.is_absolute() and (sys.platform == "win32" or named.stat().st_uid == os.geteuid()):
            folders.append(named / NAME)
    with suppress(RuntimeError):  # a user without a home
        folders.append(Path("~/.claude-openai/run").expanduser())
    return tuple(dict.fromkeys(folders))


def in_temporary(folder: Path) -> Path:
    """This user's folder in a temporary folder that all users share."""
    user = getpass.getuser() if sys.platform == "win32" else os.geteuid()
    return folder / f"{NAME}-{user}"
