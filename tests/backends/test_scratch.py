"""The private folder of a process."""

import stat
from contextlib import suppress

import pytest

from claude_openai.backends.scratch import scratch_folder


@pytest.mark.proves("safety.chat.own-directory")
def test_a_scratch_folder_is_private_and_its_working_directory_empty() -> None:
    with scratch_folder() as scratch:
        assert stat.S_IMODE(scratch.root.stat().st_mode) == 0o700
        assert list(scratch.work.iterdir()) == []


@pytest.mark.proves("lifetime.turn-over.no-traces")
def test_a_scratch_folder_is_gone_after_its_block_whatever_is_in_it() -> None:
    with suppress(KeyboardInterrupt), scratch_folder() as scratch:
        (scratch.temporary / "left").mkdir()
        scratch.history.write_text("x")
        raise KeyboardInterrupt
    assert not scratch.root.exists()
