"""`claude-openai keys`, as a person types it beside a running server."""

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from claude_openai.cli import run
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.typed import Machine, Typed

pytestmark = pytest.mark.proves("commands.keys")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine.at(tmp_path)
    yield machine
    machine.types("stop", "--all")


@pytest.fixture
def typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Typed]:
    """Types a command in this process, which is quicker."""
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(home))

    def types(*arguments: str) -> Typed:
        code = run(arguments, {"HOME": str(home)})
        printed = capsys.readouterr()
        return Typed(code, printed.out, printed.err)

    return types


def test_a_key_is_shown_once_works_at_once_and_not_after_it_is_revoked(
    machine: Machine, typed: Callable[..., Typed]
) -> None:
    started = machine.types("--background", "--simulate", "--port", "0", "--warm-processes", "0")
    assert started.code == 0, started.err
    [url] = re.findall(r"http://127\.0\.0\.1:\d+", started.out)

    def status(key: str | None) -> int:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return httpx2.get(f"{url}/v1/models", headers=headers, timeout=PATIENCE_SECONDS).status_code

    assert status(None) == 200
    added = typed("keys", "add", "alice")
    key = added.out.strip()
    assert (added.code, added.out) == (0, f"{key}\n")
    assert "from now on servers with the folder" in added.err
    assert key.startswith("sk-")
    file = machine.home / ".claude-openai" / "keys.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not [path for path in file.parent.rglob("*") if path.is_file() and key.encode() in path.read_bytes()]
    assert [status(each) for each in (key, None, "sk-wrong")] == [200, 401, 401]

    second = typed("keys", "add", "alice", "--operator").out.strip()
    [row] = json.loads(typed("keys", "list", "--json").out)
    first_id, second_id = (each["id"] for each in row["keys"])
    assert (row["name"], row["operator"], row["in_key_file"]) == ("alice", True, False)
    listed = typed("keys", "list").out
    assert listed.splitlines()[0].split() == ["NAME", "RANK", "TOKENS", "TODAY", "COST", "THIS", "MONTH", "KEYS"]
    assert "alice" in listed
    assert second_id in listed
    assert key not in listed

    assert typed("keys", "revoke", "alice", "--id", first_id).code == 0
    assert [status(each) for each in (key, second)] == [401, 200]
    assert typed("keys", "revoke", "alice").code == 0
    assert [status(each) for each in (key, second, None)] == [401, 401, 401]


def test_what_cannot_be_done_is_one_sentence(typed: Callable[..., Typed], tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("bob:sk-of-bob\n", "utf-8")
    listed = typed("keys", "list", "--api-key-file", str(file))
    assert listed.out.splitlines()[1].split() == ["bob", "-", "0", "$0.00", "in", "the", "key", "file"]
    assert typed("keys", "list").err.startswith("no key has a name")
    for arguments, code, sentence in (
        (("revoke", "ann"), 1, "ann has no key that could be revoked"),
        (("revoke", "bob", "--api-key-file", str(file)), 1, "remove that line"),
        (("add", "key-1"), 2, "is not a name"),
        (("add", "two words"), 2, "is not a name"),
    ):
        refused = typed("keys", *arguments)
        assert (refused.code, refused.out) == (code, "")
        assert sentence in refused.err
    broken = tmp_path / "home" / ".claude-openai" / "keys.json"
    broken.parent.mkdir(exist_ok=True)
    broken.write_text("[]", "utf-8")
    refused = typed("keys", "add", "ann")
    assert (refused.code, refused.err) == (
        3,
        f"claude-openai: {broken} is not a file of claude-openai keys (restore or remove it)\n",
    )


def test_limits_are_set_changed_removed_and_shown(typed: Callable[..., Typed], tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("bob:sk-of-bob\n", "utf-8")
    assert typed("keys", "add", "ann", "--requests-per-minute", "3", "--models", "haiku,sonnet").code == 0
    assert typed("keys", "limit", "ann", "--cost-per-month", "20", "--requests-per-minute", "none").code == 0
    assert typed("keys", "limit", "bob", "--tokens-per-day", "1000", "--api-key-file", str(file)).code == 0
    listed = json.loads(typed("keys", "list", "--json").out)
    assert [(row["name"], row["limits"]) for row in listed] == [
        ("ann", {"cost_per_month": 20.0, "models": ["haiku", "sonnet"]}),
        ("bob", {"tokens_per_day": 1000}),
    ]
    assert listed[0]["used"]["month"]["cost_usd"] == 0
    shown = typed("keys", "list").out
    assert "  cost a month: $20, used $0.0000 until " in shown
    assert "  tokens a day: 1,000, used 0 until " in shown
    assert "  models: haiku, sonnet" in shown
    for arguments, code, sentence in (
        (("limit", "ann"), 2, "name a limit to change"),
        (("limit", "cy", "--tokens-per-day", "1"), 1, "no key has the name cy"),
        (("limit", "ann", "--tokens-per-day", "0"), 2, "not a number above 0"),
        (("limit", "ann", "--profiles", "root"), 2, "not a list of chat and agent"),
    ):
        refused = typed("keys", *arguments)
        assert refused.code == code
        assert sentence in refused.err


def test_an_address_that_others_can_reach_may_have_named_keys_only(typed: Callable[..., Typed]) -> None:
    assert typed("config", "--host", "0.0.0.0").code == 2
    assert typed("keys", "add", "alice").code == 0
    assert typed("config", "--host", "0.0.0.0").code == 0
