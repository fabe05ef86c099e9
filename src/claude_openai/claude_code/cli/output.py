"""What Claude Code wrote, kept in a folder for each run: `stdout.ndjson`, `stderr.log`, `exit_code`.

Only this user can read it, and it is removed when it is old. It holds what was answered, and a person may want it to
see what Claude Code did; but nobody's answer depends on it, so where it cannot be written it is logged and left.
"""

import os
import re
import shutil
from contextlib import suppress
from io import FileIO
from pathlib import Path
from uuid import uuid4

import structlog

log = structlog.get_logger(__name__)

_OURS = re.compile(r"[0-9a-f]{32}(-\d+)?")
"""A run's id, and a number for its second process and further ones. Nothing else in that folder is touched."""


class Output:
    """Where the output of one process goes; nowhere without a `folder`."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lines: FileIO | None = None

    def stderr(self) -> Path | None:
        """The file for what it complains about; None where nothing is kept."""
        if self._folder is None:
            return None
        path = self._folder / "stderr.log"
        try:
            _created(path).close()
        except OSError as error:
            self._give_up(error)
            return None
        return path

    def line(self, line: bytes) -> None:
        """One line of its output, without the line's end."""
        if self._folder is None:
            return
        try:
            self._lines = self._lines or _created(self._folder / "stdout.ndjson")
            self._lines.write(line + b"\n")
        except OSError as error:
            self._give_up(error)

    def ended(self, exit_code: int | None) -> None:
        """It is over; None where it never ended in our time."""
        if self._lines:
            self._lines.close()
        if self._folder is None:
            return
        try:
            with _created(self._folder / "exit_code") as file:
                file.write(f"{'unknown' if exit_code is None else exit_code}\n".encode())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        log.warning("output.lost", folder=str(self._folder), error=str(error))
        self._folder = None


def output_of(run_id: str, root: Path | None) -> Output:
    """For a process of the run; without `root`, or where no folder can be made there, it goes nowhere."""
    if root is None:
        return Output(None)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Output(_new_folder(root, run_id or uuid4().hex))
    except OSError as error:
        log.warning("output.lost", folder=str(root), error=str(error))
        return Output(None)


def forget(root: Path, before: float) -> int:
    """Remove the folders that were last written to before that time (Unix seconds), and tell how many."""
    old = []
    with suppress(OSError):
        old = [entry for entry in root.iterdir() if _is_old(entry, before)]
    for entry in old:
        shutil.rmtree(entry, ignore_errors=True)
    return len(old)


def _new_folder(root: Path, name: str) -> Path:
    """Beside those of the run's earlier processes."""
    number = 1
    while True:
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return folder


def _created(path: Path) -> FileIO:
    """For this user only. Each line is written at once, so that a file can be followed while the process runs."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")


def _is_old(entry: Path, before: float) -> bool:
    with suppress(OSError):
        return bool(_OURS.fullmatch(entry.name)) and entry.is_dir() and not entry.is_symlink() and _last(entry) < before
    return False


def _last(folder: Path) -> float:
    return max((file.stat().st_mtime for file in folder.iterdir()), default=folder.stat().st_mtime)
