"""A full disk is named before it makes a server fail without a word."""

from pathlib import Path

import pytest

from claude_openai.system.disk import free_bytes, full_disk

MORE_THAN_ANY_DISK_HAS = 1 << 70


@pytest.mark.proves("commands.doctor")
def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(tmp_path: Path) -> None:
    assert free_bytes(tmp_path / "not" / "yet") > 0
    assert full_disk(tmp_path / "not" / "yet", least=1) is None


@pytest.mark.proves("commands.doctor")
def test_a_disk_without_room_is_named_by_its_folder(tmp_path: Path) -> None:
    problem = full_disk(tmp_path, least=MORE_THAN_ANY_DISK_HAS)
    assert problem is not None
    assert problem.startswith(f"the disk of {tmp_path} is full: ")
