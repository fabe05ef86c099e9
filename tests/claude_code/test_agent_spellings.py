"""Folders whose names a disk may have in more than one spelling: what is allowed is used, and its like is not."""

import unicodedata
from pathlib import Path
from typing import Literal

import anyio
import pytest

from claude_openai.simulator import Replies, ToolUse
from tests.claude_code.conftest import Serve
from tests.claude_code.test_agent import SECRET, Site, asked, outcomes, results, uses
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio


@pytest.mark.proves("agent.fence.paths")
@pytest.mark.parametrize("name", ["B\u00fcro", "\ud55c\uae00", "\u304c"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_a_folder_is_used_in_the_spelling_that_it_has_and_another_of_the_same_letters_is_not(
    serve: Serve, tmp_path: Path, name: str, form: Literal["NFC", "NFD"]
) -> None:
    """On a disk that has a file for each spelling, as those of Linux do."""
    folder = tmp_path / unicodedata.normalize(form, name)
    like = tmp_path / unicodedata.normalize("NFD" if form == "NFC" else "NFC", name)
    for each, content in ((folder, "What is inside"), (like, SECRET)):
        each.mkdir()
        (each / "in.txt").write_text(content)
    calls = [
        ToolUse("Read", {"file_path": str(folder / "in.txt")}, id="read"),
        ToolUse("Write", {"file_path": str(folder / f"{folder.name}.txt"), "content": "x"}, id="write"),
        ToolUse("Edit", {"file_path": "in.txt", "old_string": "inside", "new_string": "in here"}, id="edit"),
        ToolUse("Grep", {"pattern": "What", "path": str(folder), "output_mode": "content"}, id="grep"),
        ToolUse("Read", {"file_path": str(like / "in.txt")}, id="read-like"),
        ToolUse("Write", {"file_path": str(like / "new.txt"), "content": "x"}, id="write-like"),
        ToolUse("Grep", {"pattern": "What", "path": str(like), "output_mode": "content"}, id="grep-like"),
    ]
    async with serve(allowed_working_directory_prefixes=(str(folder),)) as rig:
        rig.plays(Replies(*map(uses, calls), "Done."))
        answer = await asked(rig, Site(tmp_path), "Go.", workingDirectory=str(folder), permissionMode="acceptEdits")
        told = results(rig)
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.gateway.until_idle()
            await rig.gateway.close_idle_sessions()
    assert outcomes(answer) == {
        **dict.fromkeys(("read", "write", "edit", "grep"), "done"),
        **dict.fromkeys(("read-like", "write-like", "grep-like"), "failed"),
    }
    assert SECRET not in told
    assert {each.name for each in like.iterdir()} == {"in.txt"}
