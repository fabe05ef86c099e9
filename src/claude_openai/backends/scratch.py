"""The private folder of one child process: an empty place to work in, a place for its temporary files, its history.

Created for the block, readable by this user only, gone after it.
"""

import os
import re
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
        _keep_images_out(scratch)
        yield scratch
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _keep_images_out(scratch: Scratch) -> None:
    """Leave no place where Claude Code would copy a user's images to.

    Claude Code writes an image of the newest message to `<tmp>/claude-<uid>/<folder>/<session>/images/` and tells the
    model the path in a text block the client never sent. Where that cannot be written, the message stays as it was
    sent (measured). A file in the folder's place is what cannot be written into, by root neither.
    """
    if not hasattr(os, "getuid"):
        return
    place = scratch.temporary / f"claude-{os.getuid()}"
    place.mkdir(mode=0o700)
    (place / re.sub(r"[^a-zA-Z0-9]", "-", str(scratch.work))).touch()
