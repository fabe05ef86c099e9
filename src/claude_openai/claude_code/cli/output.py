"""Stores Claude Code's output in a folder for each run: `stdout.ndjson`, `stderr.log`, `exit_code`.

Only this user can read it, and it is removed when it is old. It has the text of answers; an operator may want it to see
what Claude Code did. No answer depends on it: where it cannot be written, a warning is logged and the rest is lost.
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
"""A run's id, and a number for its second process and further ones. No other entry of that folder is removed."""


class Output:
    """Stores the output of one process in `folder`; nothing is stored without a `folder`."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._lines: FileIO | None = None

    def stderr(self) -> Path | None:
        """Create the file for the process's stderr; None where nothing is stored."""
        if self._folder is None:
            return None
        path = self._folder / "stderr.log"
        try:
            _create(path).close()
        except OSError as error:
            self._give_up(error)
            return None
        return path

    def line(self, line: bytes) -> None:
        """Store one line of the process's output; `line` is without the line's end."""
        if self._folder is None:
            return
        try:
            self._lines = self._lines or _create(self._folder / "stdout.ndjson")
            self._lines.write(line + b"\n")
        except OSError as error:
            self._give_up(error)

    def ended(self, exit_code: int | None) -> None:
        """Store the exit code, None where it is not known, and close the files."""
        if self._lines:
            self._lines.close()
        if self._folder is None:
            return
        try:
            with _create(self._folder / "exit_code") as file:
                file.write(f"{'unknown' if exit_code is None else exit_code}\n".encode())
        except OSError as error:
            self._give_up(error)

    def _give_up(self, error: OSError) -> None:
        log.warning("output.lost", folder=str(self._folder), error=str(error))
        self._folder = None


def output_of(run_id: str, root: Path | None) -> Output:
    """Create the folder for a process of the run in `root`. Nothing is stored without `root`, or where that fails."""
    if root is None:
        return Output(None)
    name, number = run_id or uuid4().hex, 1
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            folder = root / (name if number == 1 else f"{name}-{number}")
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:  # of an earlier process of the run
                number += 1
            else:
                return Output(folder)
    except OSError as error:
        log.warning("output.lost", folder=str(root), error=str(error))
        return Output(None)


def forget(root: Path, before: float) -> int:
    """Remove the folders that were last written to before that time (Unix seconds). Returns how many it removed."""
    old = []
    with suppress(OSError):
        for entry in root.iterdir():
            with suppress(OSError):
                if _OURS.fullmatch(entry.name) and entry.is_dir() and not entry.is_symlink():
                    written = (file.stat().st_mtime for file in entry.iterdir())
                    if max(written, default=entry.stat().st_mtime) < before:
                        old.append(entry)
    for entry in old:
        shutil.rmtree(entry, ignore_errors=True)
    return len(old)


def _create(path: Path) -> FileIO:
    """Create a file for this user only, without a buffer, so that it can be followed while the process runs."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w")
