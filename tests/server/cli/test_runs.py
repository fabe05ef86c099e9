"""`claude-openai runs`: the table itself, and the command against one server with a key, and against the store."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from inline_snapshot import snapshot

from claude_openai.cli.commands.runs import table
from claude_openai.system.instances import Instance, running
from tests.patience import PATIENCE_SECONDS
from tests.server.cli.runs import FAILED, NOW, RUNNING, a_run, answered, answering, asked
from tests.server.cli.typed import Machine

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals are for POSIX"),
]

KEY = "open-sesame-1002"

LISTED = [RUNNING, a_run(), FAILED]


# The table.


@pytest.mark.proves("commands.runs")
def test_a_terminal_of_eighty_columns_has_all_figures_and_names_that_are_cut() -> None:
    shown = table(LISTED, NOW, 80)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown == snapshot("""\
ID         AGE  MODEL              CLIENT     STATE       TOKENS     COST   TOOK
b00000000   7s  claude-sonnet-5-5  OpenAI/P…  running          -        -   7.0s
3fa85f645   1h  claude-sonnet-5-5  OpenAI/P…  completed  12k/678  $0.0123  1m00s
3fa85f640   1h  claude-sonnet-5-5  OpenAI/P…  failed           -        -   1.2s
""")


@pytest.mark.proves("commands.runs")
def test_where_there_is_room_nothing_is_cut() -> None:
    assert table(LISTED, NOW, 200) == table(LISTED, NOW, None)
    assert table(LISTED, NOW, None) == snapshot("""\
ID         AGE  MODEL              CLIENT                STATE       TOKENS     COST   TOOK
b00000000   7s  claude-sonnet-5-5  OpenAI/Python 3.54.0  running          -        -   7.0s
3fa85f645   1h  claude-sonnet-5-5  OpenAI/Python 3.54.0  completed  12k/678  $0.0123  1m00s
3fa85f640   1h  claude-sonnet-5-5  OpenAI/Python 3.54.0  failed           -        -   1.2s
""")


@pytest.mark.proves("commands.runs", "terminal.harmless")
def test_what_a_client_calls_itself_neither_breaks_the_table_nor_speaks_to_the_terminal() -> None:
    shown = table([a_run(client="\x1b[2Jevil\nclient")], NOW, None)
    assert "\\x1b[2Jevil client" in shown
    assert shown.count("\n") == 2


@pytest.mark.proves("terminal.colours")
def test_only_the_state_has_a_colour() -> None:
    coloured = table(LISTED, NOW, 80, colours=True)
    assert click.unstyle(coloured) == table(LISTED, NOW, 80)
    assert re.findall(r"\x1b\[\d\dm(\w+)", coloured) == ["running", "failed"]


# The command.


@pytest.fixture(scope="module")
def server(machine: Machine) -> Instance:
    assert machine.types("--background", "--simulate", "--port", "0", CLAUDE_OPENAI_API_KEY=KEY).code == 0
    (server,) = running([machine.known])
    answered(server, "Say hello", key=KEY)
    answered(server, "[[sim error=400]]", key=KEY)
    return server


@pytest.fixture
def person(machine: Machine, server: Instance) -> Machine:
    """Who has the key of the server that runs."""
    assert server.port
    return replace(machine, more={"CLAUDE_OPENAI_API_KEY": KEY})


@pytest.mark.proves("commands.runs")
def test_the_latest_runs_of_the_server_are_listed_latest_first(person: Machine) -> None:
    ran = person.types("runs")
    head, failed, completed = ran.out.splitlines()
    assert (ran.code, ran.err) == (0, "")
    assert head.split() == ["ID", "AGE", "MODEL", "CLIENT", "STATE", "TOKENS", "COST", "TOOK"]
    assert "failed" in failed
    assert "completed" in completed


@pytest.mark.proves("commands.runs", "terminal.colours")
def test_a_terminal_has_colours_and_a_table_that_fits(person: Machine) -> None:
    ran = person.sees("runs")
    assert ran.code == 0
    assert "\x1b[31mfailed" in ran.out
    assert "\x1b" not in person.sees("runs", NO_COLOR="1").out


@pytest.mark.proves("commands.runs")
def test_programs_get_all_of_the_runs_they_ask_for(person: Machine, server: Instance) -> None:
    def listed(*arguments: str) -> list[dict[str, object]]:
        ran = person.types("runs", "--json", *arguments)
        assert (ran.code, ran.err) == (0, "")
        found: list[dict[str, object]] = json.loads(ran.out)
        return found

    assert [run["state"] for run in listed()] == ["failed", "completed"]
    assert [run["state"] for run in listed("--state", "completed")] == ["completed"]
    assert [run["state"] for run in listed("--limit", "1", "--port", str(server.port))] == ["failed"]
    assert listed("--state", "running") == []
    assert [run["state"] for run in listed("state:failed", "since:1h")] == ["failed"]
    assert [run["state"] for run in listed("--", "-state:failed")] == ["completed"]
    assert {"id", "arrived_at", "usage", "cost_usd", "error", "key", "way"} <= listed()[0].keys()


@pytest.mark.proves("commands.runs", "search.wrong")
def test_a_wrong_query_says_what_was_meant_with_a_server_and_without_one(person: Machine, tmp_path: Path) -> None:
    for asks in (person, Machine.at(tmp_path)):
        ran = asks.types("runs", "stat:failed")
        assert (ran.code, ran.out) == (1, "")
        assert "`stat:` is no field. Did you mean `state:`?" in ran.err


@pytest.mark.proves("commands.client")
@pytest.mark.parametrize(("key", "told"), [("", "needs an API key"), ("wrong-key-1", "does not accept this API key")])
def test_a_key_that_is_missing_or_wrong_is_told_with_the_remedy(
    tmp_path: Path, server: Instance, key: str, told: str
) -> None:
    stranger = Machine.at(tmp_path)  # who does not find the server, and so not its owner's token
    ran = stranger.types("runs", "--url", server.url, CLAUDE_OPENAI_API_KEY=key)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == (
        f"claude-openai: {server.url} {told} "
        "(set CLAUDE_OPENAI_API_KEY to one of its keys, or name its --api-key-file)\n"
    )


@pytest.mark.proves("commands.client")
def test_who_started_the_server_needs_no_key_and_sees_the_runs_of_all(machine: Machine, server: Instance) -> None:
    ran = machine.types("runs", "--json")
    assert (ran.code, [run["state"] for run in json.loads(ran.out)]) == (0, ["failed", "completed"])
    assert server.owner_token is not None
    assert server.owner_token not in repr(server) + machine.types("status", "--json").out
    wrong = machine.types("runs", "--api-key", "wrong-key-1")
    assert (wrong.code, wrong.out) == (1, "")


@pytest.mark.proves("commands.client")
def test_a_proxy_of_the_environment_does_not_see_what_is_said_on_this_machine(
    person: Machine,
) -> None:
    nowhere = "http://127.0.0.1:9"
    ran = person.types("runs", HTTP_PROXY=nowhere, http_proxy=nowhere, ALL_PROXY=nowhere)
    assert ran.code == 0


@pytest.mark.proves("commands.client")
def test_a_server_that_was_named_must_run(person: Machine) -> None:
    ran = person.types("runs", "--port", "1")
    assert ran.code == 1
    assert ran.err == ("claude-openai: no server of yours runs on port 1 (see which do with: claude-openai status)\n")
    nobody = person.types("runs", "--url", "http://127.0.0.1:9")
    assert nobody.code == 1
    assert nobody.err.startswith("claude-openai: http://127.0.0.1:9 cannot be asked: ")


@pytest.mark.proves("commands.client")
def test_of_several_servers_one_must_be_named_unless_a_run_says_which(person: Machine, server: Instance) -> None:
    """Both have one store, so that each knows the runs of the other, but not what is said."""
    assert person.types("--background", "--simulate", "--port", "0").code == 0
    ports = [each.port for each in running([person.known])]
    other = next(port for port in ports if port != server.port)
    try:
        asked_last, said = running([person.known])[-1], "[[sim text=Hello pieces=2]] [[sim stall]]"
        with (
            asked(asked_last, said, request_id="stalled", stream=True, key=KEY),
            person.begins("tail", "-f", "stalled") as follower,
        ):
            assert follower.stdout is not None
            assert follower.stdout.read(1) == "H"
            cancelled = person.types("cancel", "stalled")
            assert (cancelled.code, cancelled.err) == (0, "")
            assert follower.wait(PATIENCE_SECONDS) == 0
        ran = person.types("runs")
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith(
            f"claude-openai: several servers run, on ports {ports[0]}, {ports[1]}: name one with --port"
        )
        assert person.types("runs", "--port", str(server.port)).code == 0
    finally:
        assert person.types("stop", "--port", str(other)).code == 0


@pytest.mark.proves("commands.client")
def test_a_key_is_not_carried_to_where_a_server_points(tmp_path: Path) -> None:
    with answering("307 Elsewhere", {"location": "/elsewhere"}) as (url, paths):
        ran = Machine.at(tmp_path).types("runs", "--url", f"{url}/v1", CLAUDE_OPENAI_API_KEY=KEY)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"claude-openai: {url} answered with status 307 (is a claude-openai there?)\n"
    assert paths == ["/runs?limit=20"]


@pytest.mark.proves("commands.store")
def test_where_nothing_was_ever_asked_that_is_said(tmp_path: Path) -> None:
    machine = Machine.at(tmp_path)
    ran = machine.types("runs")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"no server of yours runs; this is from the store in {machine.home}/.claude-openai\nno runs yet\n"
    assert machine.types("runs", "--json").out == "[]\n"
    assert list(machine.home.iterdir()) == []
