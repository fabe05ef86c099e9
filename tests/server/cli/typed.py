"""The installed command as a person types it, on a machine of their own: a home, a temporary folder, a terminal."""

import os
import pty
import select
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.patience import PATIENCE_SECONDS

COMMAND = str(Path(sysconfig.get_path("scripts"), "claude-openai"))


@dataclass(frozen=True)
class Typed:
    """How one command ended, and what it printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Machine:
    """Where one person works."""

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def at(cls, folder: Path) -> "Machine":
        machine = cls(folder / "home")
        machine.home.mkdir()
        machine.temporary.mkdir()
        return machine

    @property
    def temporary(self) -> Path:
        return self.home.parent / "tmp"

    @property
    def known(self) -> Path:
        """The folder of this user's running servers."""
        return self.temporary / f"claude-openai-{os.geteuid()}"

    @property
    def environ(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / ".config"), "TMPDIR": str(self.temporary)}
        own["PATH"] = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, **own, **self.more}

    def types(self, *arguments: str, **variables: str) -> Typed:
        done = subprocess.run(
            [COMMAND, *arguments],
            env={**self.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        return Typed(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def begins(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """A command that goes on, ended with the block."""
        with subprocess.Popen(
            [COMMAND, *arguments], env=self.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def sees(self, *arguments: str, **variables: str) -> Typed:
        """What a person sees who types it on a terminal; all of it is `out`."""
        ours, theirs = pty.openpty()
        try:
            environ = {"TERM": "xterm", **self.environ, **variables}
            with subprocess.Popen(
                [COMMAND, *arguments], env=environ, stdin=theirs, stdout=theirs, stderr=theirs
            ) as process:
                shown = _read(ours, process)
        finally:
            os.close(ours)
            os.close(theirs)
        return Typed(process.returncode, shown, "")


def until(true: Callable[[], object]) -> None:
    """Wait for what another process does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_gone(process: psutil.Process) -> bool:
    """Nobody may reap what has been detached."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _read(terminal: int, process: "subprocess.Popen[bytes]") -> str:
    shown, ended = b"", False
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (readable := select.select([terminal], [], [], 0.05)[0]) or not ended:
        ended = process.poll() is not None  # looked at before the terminal, which has its last words by then
        if time.monotonic() > deadline:
            process.kill()
        if readable:
            shown += os.read(terminal, 65536)
    return shown.decode().replace("\r\n", "\n")
