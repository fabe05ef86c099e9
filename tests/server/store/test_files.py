"""The folder and the files of a store are this user's alone."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_openai.store import StoreError, sqlite_store
from claude_openai.store.sqlite.database_files import NAME
from tests.server.store.samples import KEEPS_ALL, a_run, remember

pytestmark = [pytest.mark.anyio, pytest.mark.proves("store.disk.private")]


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.fixture(params=[0o000, 0o077], ids=["umask-000", "umask-077"])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
async def test_folder_and_files_are_made_for_this_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "store"
    async with sqlite_store(folder, KEEPS_ALL) as store:
        store.save(a_run())
        await store.recent(1)
        assert modes(folder) == {"store": 0o700, NAME: 0o600, NAME + "-wal": 0o600, NAME + "-shm": 0o600}
    assert modes(folder) == {"store": 0o700, NAME: 0o600}


async def test_what_is_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    async with sqlite_store(tmp_path, KEEPS_ALL) as first:
        open_up(tmp_path)
        async with sqlite_store(tmp_path, KEEPS_ALL):
            assert set(modes(tmp_path).values()) == {0o700, 0o600}
        assert await first.recent(1) == ()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_another_user_is_refused(tmp_path: Path, what: str) -> None:
    (tmp_path / NAME).touch()
    path = tmp_path if what == "folder" else tmp_path / NAME
    os.chown(path, 12345, -1)
    refused(tmp_path, f"{path} belongs to another user")
    os.chown(path, 0, -1)


def test_a_folder_that_all_users_share_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    refused(tmp_path, "is shared by all users")
    assert modes(tmp_path) == {tmp_path.name: 0o1777}


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "store", "cannot be used: ")


def open_up(folder: Path) -> None:
    for path in (folder, *folder.iterdir()):
        path.chmod(0o777)


def refused(folder: Path, message: str) -> None:
    with pytest.raises(StoreError) as caught:
        remember(folder)
    assert message in caught.value.message
    assert "--data-dir" in (caught.value.hint or "")
