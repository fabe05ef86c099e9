"""Keys with names, over HTTP: whose a request is, and what its sender may see."""

from pathlib import Path

import pytest

from claude_openai.core.keys import ConfiguredKey, KeyOwner, Keys, StoredKey, digest_of
from claude_openai.settings import Settings
from claude_openai.store.key_file import KeyFile
from tests.server.http.conftest import Serve
from tests.server.http.exchange import Served, said


def of_file(tmp_path: Path, text: str, stored: KeyFile | None = None) -> Keys:
    """The keys of a server with this key file."""
    file = tmp_path / "keys"
    file.write_text(text, "utf-8")
    settings = Settings.load({"api_key_file": str(file)}, {})
    configured = [
        ConfiguredKey(line.key.get_secret_value(), line.name, line.whole.get_secret_value() if line.whole else None)
        for line in settings.configured_keys
    ]
    return Keys(configured, stored.current if stored else lambda: None)


async def asks(served: Served, key: str) -> int:
    return (await served.chat(authorization=f"Bearer {key}")).status_code


async def sees(served: Served, key: str) -> list[str]:
    """Whose runs a key sees, the last to arrive first."""
    return [run["key"] for run in await served.runs(authorization=f"Bearer {key}")]


@pytest.mark.proves("keys.named", "runs.principals")
async def test_a_name_has_its_runs_under_each_of_its_keys_and_an_operator_sees_all(
    serve: Serve, tmp_path: Path
) -> None:
    stored = KeyFile(tmp_path / "keys.json")
    with stored.changing() as names:
        names["ops"] = KeyOwner("ops", (StoredKey(digest_of("sk-ops"), 0.0),), is_operator=True)
        names["bob"] = KeyOwner("bob", (StoredKey(digest_of("sk-bob-stored"), 0.0),))
    keys = of_file(tmp_path, "ann:sk-ann-old\nann:sk-ann-new\nbob:sk-bob\nsk-plain\n", stored)
    served = serve(said("Hi"), keys=keys)
    for key in ("sk-ann-old", "sk-bob", "sk-plain", "sk-ops"):
        assert await asks(served, key) == 200
    plain = f"key-{digest_of('sk-plain').hex()[:8]}"
    assert await sees(served, "sk-ann-new") == ["ann"]
    assert await sees(served, "sk-bob-stored") == ["bob"]
    assert await sees(served, "sk-plain") == [plain]
    assert await sees(served, "sk-ops") == ["ops", plain, "bob", "ann"]
    [run] = await served.runs(authorization="Bearer sk-ann-old")
    for key, status in (("sk-bob", 404), ("sk-plain", 404), ("sk-ann-new", 200), ("sk-ops", 200)):
        headers = {"authorization": f"Bearer {key}"}
        assert (await served.client.get(f"/runs/{run['id']}", headers=headers)).status_code == status
    # The metrics are of all keys.
    for key, status in (("sk-ann-new", 403), ("sk-bob-stored", 403), ("sk-plain", 200), ("sk-ops", 200)):
        headers = {"authorization": f"Bearer {key}"}
        assert (await served.client.get("/metrics", headers=headers)).status_code == status


@pytest.mark.proves("keys.named")
async def test_a_key_with_a_colon_works_as_before_and_owns_what_it_owned(serve: Serve, tmp_path: Path) -> None:
    served = serve(said("Hi"), keys=of_file(tmp_path, "team:with:colons\nlong-secret:1\nlocal:sk-local\n:leading\n"))
    for key in ("team:with:colons", "long-secret:1", "local:sk-local", ":leading"):
        assert await asks(served, key) == 200
        assert served.backend.performances[-1].turn.principal == f"key-{digest_of(key).hex()}"
    assert await asks(served, "with:colons") == 200
    assert served.backend.performances[-1].turn.principal == "team"
    for part in ("1", "sk-local", "leading", "team", "long-secret", "colons", "team:with"):
        assert await asks(served, part) == 401


@pytest.mark.proves("commands.keys")
async def test_a_running_server_follows_each_change_of_the_file_at_once(serve: Serve, tmp_path: Path) -> None:
    stored = KeyFile(tmp_path / "data" / "keys.json")
    served = serve(said("Hi"), keys=Keys((), KeyFile(stored.path).current))
    assert await asks(served, "anything") == 200  # as long as there is no key
    with stored.changing() as names:
        names["ann"] = KeyOwner("ann", (StoredKey(digest_of("sk-ann"), 0.0),))
    assert [await asks(served, key) for key in ("sk-ann", "sk-bob")] == [200, 401]
    with stored.changing() as names:
        names["bob"] = KeyOwner("bob", (StoredKey(digest_of("sk-bob"), 0.0),))
        del names["ann"]
    assert [await asks(served, key) for key in ("sk-ann", "sk-bob")] == [401, 200]
    stored.path.write_text("{", "utf-8")  # a file that somebody has edited
    assert [await asks(served, key) for key in ("sk-ann", "sk-bob")] == [401, 200]


@pytest.mark.proves("commands.keys", "safety.key")
@pytest.mark.parametrize("remove", [True, False])
async def test_a_server_that_needed_a_key_is_never_open_again(serve: Serve, tmp_path: Path, *, remove: bool) -> None:
    stored = KeyFile(tmp_path / "keys.json")
    with stored.changing() as names:
        names["ann"] = KeyOwner("ann", (StoredKey(digest_of("sk-ann"), 0.0),))
    served = serve(said("Hi"), keys=Keys((), KeyFile(stored.path).current))
    assert await asks(served, "sk-ann") == 200
    if remove:
        stored.path.unlink()
    else:
        with stored.changing() as names:
            names.clear()
    assert await asks(served, "sk-ann") == 401
    assert (await served.chat()).status_code == 401
