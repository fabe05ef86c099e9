"""The keys of `claude-openai keys`: a JSON file of this user with the names, their rank and the digests of their keys.

The keys themselves are in no file. A server reads the file again when it has changed, before the next request; commands
write it whole, in place of the old one, one at a time.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import structlog

from claude_openai.core.keys import KeyOwner, StoredNames
from claude_openai.errors import LaunchError
from claude_openai.system.locks import try_lock
from claude_openai.system.private_files import make_folder, private_opener

log = structlog.get_logger(__name__)

LOCK_SECONDS: Final = 5.0
"""How long a command waits for another one that writes."""


class KeyFileError(LaunchError):
    """The file of keys cannot be read or written."""


class KeyFile:
    """The file at `path`, which need not be there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: StoredNames | None = None
        self._version: tuple[int, ...] | None = None

    def current(self) -> StoredNames | None:
        """What the file has now, the same object as long as it is unchanged; None if there has never been a file.

        Where it cannot be read, what it had before stays valid, which is logged. If it is removed, no key of it is.
        """
        version = self._seen()
        if version != self._version:
            self._version = version
            if version is None:
                self._known = self._known and {}
            else:
                try:
                    self._known = self.read()
                    log.info("keys.read", names=sorted(self._known or ()))
                except KeyFileError as error:
                    log.error("keys.unreadable", reason=error.message)
                    self._known = {} if self._known is None else self._known
        return self._known

    def read(self) -> StoredNames | None:
        """What the file has; None if there is none.

        Raises:
            KeyFileError: it cannot be read.
        """
        from pydantic import ValidationError  # noqa: PLC0415 -- as below

        from claude_openai.store.key_models import KeyFileContent  # noqa: PLC0415 -- 20 ms, where there is a file

        try:
            return KeyFileContent.model_validate_json(self.path.read_bytes()).owners()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise KeyFileError(f"cannot read {self.path}: {error.strerror}") from None
        except ValidationError:
            raise KeyFileError(f"{self.path} is not a file of claude-openai keys", "restore or remove it") from None

    @contextmanager
    def changing(self) -> Iterator[dict[str, KeyOwner]]:
        """A block that changes the names; they are written at its end.

        Raises:
            KeyFileError: the file cannot be read or written, or another command writes for too long.
        """
        try:
            make_folder(self.path.parent)
            with open(f"{self.path}.lock", "w", opener=private_opener) as lock:
                _wait_for(lock.fileno())
                names = dict(self.read() or {})
                yield names
                self._write(names)
        except OSError as error:
            raise KeyFileError(f"cannot write {self.path}: {error.strerror}", "see --data-dir") from error

    def _write(self, names: Mapping[str, KeyOwner]) -> None:
        from claude_openai.store.key_models import KeyFileContent  # noqa: PLC0415 -- as above

        text = KeyFileContent.of(names).model_dump_json(indent=1)
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")  # of mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self.path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise

    def _seen(self) -> tuple[int, ...] | None:
        """What distinguishes one state of the file from the next: each one is a new file."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size


def _wait_for(descriptor: int) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while os.name != "nt" and not try_lock(descriptor):  # Windows has no such lock
        if time.monotonic() > deadline:
            raise KeyFileError("another command writes the keys", "try again")
        time.sleep(0.02)
