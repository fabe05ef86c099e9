"""The private folder of one child process: an empty place to work in, a place for its temporary files, its history.

Created for the block, readable by this user only, gone after it.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FOLDER_PREFIX = "claude-openai-"


@dataclass(frozen=True, slots=True)
class Scratch:
    """The folder of one process."""

    root: Path

    @property
    def work(self) -> Path:
        """The working directory: empty, so that a note about it tells the model nothing."""
        return self.root / "work"

    @property
    def temporary(self) -> Path:
        """Where the child's temporary files go."""
        return self.root / "tmp"

    @property
    def history(self) -> Path:
        """The transcript a conversation is resumed from."""
        return self.root / "history.jsonl"

    @property
    def instructions(self) -> Path:
        """The client's system prompt."""
        return self.root / "system.txt"

    @property
    def stderr(self) -> Path:
        """What the child complains about."""
        return self.root / "stderr.log"


@contextmanager
def scratch_folder() -> Iterator[Scratch]:
    """A fresh `Scratch` (mode 0700) under the system's temporary folder, removed with the block."""
    root = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX)).resolve()
    try:
        scratch = Scratch(root)
        scratch.work.mkdir()
        scratch.temporary.mkdir()
        yield scratch
    finally:
        shutil.rmtree(root, ignore_errors=True)
