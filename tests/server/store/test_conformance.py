"""What every store of runs and responses owes: one suite for all of `server.stores.STORES`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.ports import Store
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import in_order, matches, parse
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings
from claude_openai.settings.values import StoreKind
from claude_openai.store import MemoryStore
from claude_openai.system.places import Places
from tests.server.store.samples import NOW, a_run, response_of, until

pytestmark = pytest.mark.anyio


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    kind: StoreKind = request.param
    settings = Settings(store=kind, data_dir=str(tmp_path))
    async with STORES[kind].open(settings, Places.of(settings)) as opened:
        yield opened


@pytest.mark.proves("runs.states")
async def test_a_run_comes_back_as_it_was_saved(store: Store) -> None:
    run = a_run(
        began_at=1.5,
        usage=Usage(1, 2, 3, 4, 5),
        cost_usd=0.25,
        text="Grüße \x00 und 🦀\n",
        calls=(ToolCall("call_1", "look", '{"at": "\\ud83d"}'), ToolCall("call_2", "", "{}")),
    )
    store.save(run)
    assert await store.find(run.id) == (run,)


@pytest.mark.proves("runs.states")
async def test_a_run_is_seen_at_once_in_its_last_state_and_only_in_that(store: Store) -> None:
    run = a_run(state=RunState.QUEUED)
    for state in (RunState.QUEUED, RunState.RUNNING, RunState.COMPLETED):
        store.save(run := replace(run, state=state))
        assert await store.find(run.id) == (run,)
        assert await store.recent(10) == (run,)
        assert await store.recent(10, state) == (run,)
    assert await store.recent(10, RunState.QUEUED) == ()


@pytest.mark.proves("runs.states")
async def test_half_a_character_is_mended_and_a_whole_one_survives(store: Store) -> None:
    run = a_run(client="\ud83d", text="\ud83e\udd80 \udd80", calls=(ToolCall("\ud800", "n", "{}"),))
    store.save(run)
    mended = replace(run, client="\ufffd", text="🦀 \ufffd", calls=(ToolCall("\ufffd", "n", "{}"),))
    assert await store.find(run.id) == (mended,)
    assert await store.find("\ud800") == ()
    store.save(another := a_run(principal="\udcff"))
    assert await store.find(another.id, "\udcff") == await store.recent(1, None, "\udcff") != ()


@pytest.mark.proves("runs.list")
@pytest.mark.parametrize("part", ["id", "answer_id", "request_id"])
async def test_a_run_is_found_by_each_of_its_ids_and_by_their_beginnings(store: Store, part: str) -> None:
    store.save(a_run(id="a" * 32, answer_id="chatcmpl-" + "a" * 32, request_id="req-a"))
    wanted = a_run(id="b" * 32, answer_id="chatcmpl-" + "b" * 32, request_id="req-b")
    store.save(wanted)
    full = getattr(wanted, part)
    for length in range(len(full.rstrip("b")) + 1, len(full) + 1):
        assert await store.find(full[:length]) == (wanted,)


@pytest.mark.proves("runs.list")
async def test_a_beginning_of_several_finds_two_and_none_finds_none(store: Store) -> None:
    runs = [a_run() for _ in range(3)]
    for run in runs:
        store.save(run)
    assert await store.find("chatcmpl-") == (runs[2], runs[1])
    assert await store.find("") == (runs[2], runs[1])
    assert await store.find("nobody") == ()
    assert await store.find("chatcmpl%") == ()
    assert await store.find("_" * 32) == ()
    assert await store.find(runs[0].id + "0") == ()


@pytest.mark.proves("runs.list")
async def test_an_exact_id_is_found_alone_though_others_begin_with_it(store: Store) -> None:
    short = a_run(request_id="job-1")
    store.save(short)
    store.save(a_run(request_id="job-12"))
    store.save(a_run(request_id="job-13"))
    assert await store.find("job-1") == (short,)


@pytest.mark.proves("runs.list")
async def test_a_request_id_that_a_client_used_twice_finds_both(store: Store) -> None:
    first, second = a_run(request_id="mine"), a_run(request_id="mine")
    store.save(first)
    store.save(second)
    store.save(a_run(request_id="mine-too"))
    assert await store.find("mine") == (second, first)


@pytest.mark.proves("runs.principals")
async def test_for_a_principal_the_runs_of_others_are_not_there(store: Store) -> None:
    mine, other = a_run(principal="ci"), a_run(principal="laptop")
    store.save(mine)
    store.save(other)
    assert await store.find(other.id, "ci") == ()
    assert await store.find("chatcmpl-", "ci") == (mine,)
    assert await store.recent(10, None, "ci") == (mine,)
    assert await store.recent(10, RunState.COMPLETED, "nobody") == ()


@pytest.mark.proves("runs.list")
async def test_the_latest_to_arrive_come_first_whenever_they_were_saved(store: Store) -> None:
    runs = [a_run(state=state) for state in (RunState.RUNNING, RunState.COMPLETED, RunState.RUNNING)]
    for run in (runs[2], runs[0], runs[1]):
        store.save(run)
    assert await store.recent(10) == tuple(reversed(runs))
    assert await store.recent(2) == (runs[2], runs[1])
    assert await store.recent(2, RunState.RUNNING) == (runs[2], runs[0])
    assert await store.recent(0) == ()


SEARCHED = [
    a_run(
        text="Grüße aus München und 東京タワー",
        model="claude-opus-5",
        asked_model="claude-best",
        endpoint="chat",
        reason="tools",
        usage=Usage(10, 20, 30, 60, 5),
        cost_usd=0.5,
        began_at=NOW,
        ended_at=NOW + 10.0**6,
        session_start="live",
        finish="stop",
    ),
    a_run(error="Overloaded: the queue is full", error_code="overloaded", state=RunState.FAILED, client="curl/8"),
    a_run(calls=(ToolCall("c", "get_weather", '{"city": "Oslo"}'),), state=RunState.PARKED, finish="tool_calls"),
    a_run(state=RunState.RUNNING, principal="alice", profile="agent", usage=Usage(1, 2), cost_usd=0.125),
    a_run(state=RunState.CANCELLED, principal="key-" + "ab" * 32, error_code="cancelled", text="AND NOT (x) %_ “q”"),
]

QUERIES = [
    *(
        "",
        "münchen",
        "MUN",
        '"aus munchen"',
        '"mun"',
        "京タ",
        "oslo",
        "get_weather",
        "queue full",
        '"queue full"',
        "-oslo",
    ),
    *(
        "AND",
        "NOT",
        '"and not x"',
        "NEAR",
        "x*",
        "nobody",
        "overloaded:",
        "%",
        "run:0",
        "chatcmpl-0",
        "-run:0",
        "model:best",
        "why:tools,history",
        "-why:tools",
        "endpoint:chat",
        "model:OPUS",
    ),
    *("@CURL", "client:curl,openai/", "-@curl", "key:alice", "key:key-abab", "key:ali", "state:failed", "state:live"),
    *(
        "-state:failed,parked",
        "state:completed,failed",
        "state:parked",
        "state:cancelled",
        "way:live",
        "-way:live",
        "code:*",
    ),
    *(
        "code:over",
        "-code:over,canc",
        "tool:get_weather",
        "-tool:get_weather",
        "tool:get",
        "profile:agent",
        "finish:stop",
    ),
    *(
        "cost:>0.125",
        "cost:>=0.125",
        "-cost:>0.2",
        "cost:*..*",
        "cached:>=60%",
        "cached:<0.5",
        "tokens:<=10",
        "out:2..20",
    ),
    *(
        "duration:>1d",
        "duration:<1d",
        "queue:*..*",
        "first:<1s",
        "since:1h",
        "until:2000-01-01",
        "-at:today",
        "is:cached",
    ),
    *(
        "sort:old",
        "sort:cost",
        "sort:tokens",
        "sort:duration",
        "-oslo state:parked",
        "queue code:over sort:old",
        "is:refused",
    ),
]


@pytest.mark.proves("search.language", "runs.list")
async def test_every_query_finds_the_same_in_a_store_as_among_values(store: Store) -> None:
    for run in SEARCHED:
        store.save(run)
    await until(lambda: store.status().unwritten == 0)
    now = datetime.fromtimestamp(NOW, UTC)
    for text in QUERIES:
        query = parse(text, now, {"overloaded": "server_is_overloaded"})
        expected = tuple(in_order(query, [run for run in SEARCHED if matches(query, run)]))
        assert await store.search(query, 10) == expected, text
        assert await store.search(query, 2) == expected[:2], text
        if query.sort in {"new", "old"} and expected:
            assert await store.search(query, 10, None, expected[0]) == expected[1:], text
    assert await store.search(parse("sort:old", now), 10, "alice") == (SEARCHED[3],)


@pytest.mark.proves("responses.stored")
async def test_a_response_and_the_end_of_its_run_are_there_when_the_save_returns(store: Store) -> None:
    run = a_run(text="Grüße \x00 🦀")
    response = response_of(run, items='["Grüße"]', body='{"text": "🦀 \x00"}', previous_id="resp_gone")
    store.save(replace(run, state=RunState.RUNNING))
    store.responses.begin(replace(response, body="{}"))
    assert await store.responses.chain(response.id, "local", 10) == (replace(response, body="{}"),)
    await store.responses.save(response, run)
    assert await store.responses.chain(response.id, "local", 10) == (response,)
    assert await store.find(run.id) == (run,)


@pytest.mark.proves("responses.stored")
async def test_half_a_character_in_a_response_is_mended(store: Store) -> None:
    run = a_run(principal="\ud83e\udd80")
    await store.responses.save(response_of(run, body="\ud800"), run)
    for principal in ("\ud83e\udd80", "🦀"):
        (found,) = await store.responses.chain(run.answer_id, principal, 1)
        assert (found.principal, found.body) == ("🦀", "\ufffd")
    assert await store.responses.chain("\ud800", "🦀", 1) == ()


@pytest.mark.proves("responses.stored")
async def test_a_response_that_is_deleted_leaves_its_run_as_it_was_given(store: Store) -> None:
    run = a_run(text="Hello")
    await store.responses.save(response_of(run), run)
    await store.responses.delete(run.answer_id, replace(run, text=""))
    assert await store.responses.chain(run.answer_id, "local", 1) == ()
    assert await store.find(run.id) == (replace(run, text=""),)


@pytest.mark.proves("responses.continued")
async def test_a_response_is_found_with_those_that_it_continues_the_latest_first(store: Store) -> None:
    runs = [a_run() for _ in range(4)]
    previous = None
    chain = []
    for run in runs:
        chain.append(response_of(run, previous_id=previous))
        await store.responses.save(chain[-1], run)
        previous = run.answer_id
    branch = response_of(a_run(), previous_id=chain[1].id)
    store.responses.begin(branch)
    find = store.responses.chain
    assert await find(chain[3].id, "local", 10) == tuple(reversed(chain))
    assert await find(chain[3].id, "local", 2) == (chain[3], chain[2])
    assert await find(branch.id, "local", 10) == (branch, chain[1], chain[0])
    await store.responses.delete(chain[1].id, runs[1])
    assert await find(chain[3].id, "local", 10) == (chain[3], chain[2])


@pytest.mark.proves("responses.continued", "runs.principals")
async def test_for_a_principal_the_responses_of_others_are_not_there(store: Store) -> None:
    mine, other = a_run(principal="ci"), a_run(principal="laptop")
    await store.responses.save(response_of(other), other)
    await store.responses.save(response_of(mine, previous_id=other.answer_id), mine)
    find = store.responses.chain
    assert await find(other.answer_id, "ci", 10) == ()
    assert await find(other.answer_id[:-1], "laptop", 10) == ()
    assert await find(mine.answer_id, "ci", 10) == (response_of(mine, previous_id=other.answer_id),)


@pytest.mark.proves("runs.states")
async def test_memory_drops_a_response_with_its_run() -> None:
    store = MemoryStore(most=1)
    runs: list[Run] = [a_run(), a_run()]
    for run in runs:
        await store.responses.save(response_of(run), run)
    assert [await store.responses.chain(run.answer_id, "local", 1) for run in runs] == [(), (response_of(runs[1]),)]


@pytest.mark.proves("runs.states")
async def test_memory_forgets_what_came_first() -> None:
    store = MemoryStore(most=2)
    runs = [a_run() for _ in range(3)]
    for run in [*runs, replace(runs[1], text="more")]:
        store.save(run)
    assert {run.id for run in await store.recent(10)} == {runs[1].id, runs[2].id}


@pytest.mark.proves("statistics.sums")
async def test_runs_add_up_by_span_and_by_what_they_were(store: Store) -> None:
    begin = 500_000 * 3600.0
    used = Usage(10, 20, 30, 40, 5)
    first = a_run(
        arrived_at=begin, client="curl/8.1", usage=used, cost_usd=0.5, first_token_at=begin + 1, ended_at=begin + 9
    )
    runs = [
        first,
        replace(first, id="b", arrived_at=begin + 3599, model="claude-opus-5", principal="alice"),
        replace(
            first, id="c", arrived_at=begin + 3600, state=RunState.FAILED, error_code="x", usage=None, cost_usd=None
        ),
        a_run(arrived_at=begin + 10, state=RunState.RUNNING),
        replace(first, id="d", arrived_at=begin + 86_400),
    ]
    for run in [*runs, first, replace(runs[1], text="again")]:  # to be saved again counts once
        store.save(run)
    await until(lambda: store.status().unwritten == 0)
    day = 86_400
    hours = await store.statistics(begin, begin + day, 3600)
    assert [(span.begin - begin, span.value("runs"), span.value("cost_usd")) for span in hours] == [
        (0, 2, 1),
        (3600, 1, 0),
    ]
    assert hours[0].value("cache_read_tokens") == 80
    assert (hours[0].quantile("first_token", 1), hours[0].quantile("duration", 1)) == (1.131, 9.051)
    models = await store.statistics(begin, begin + day, day, "model")
    assert [(span.group, span.value("runs")) for span in models] == [("claude-opus-5", 1), ("claude-sonnet-5", 2)]
    for by, groups in (
        ("state", ["completed", "failed"]),
        ("client", ["curl"]),
        ("way", [""]),
        ("key", ["alice", "local"]),
    ):
        spans = await store.statistics(begin, begin + day, day, by)  # type: ignore[arg-type]
        assert [span.group for span in spans] == groups
    (mine,) = await store.statistics(begin, begin + day, day, None, "alice")
    assert mine.value("runs") == 1
    assert await store.statistics(begin, begin, 3600) == ()


@pytest.mark.proves("search.language")
async def test_words_that_a_run_has_no_more_find_nothing(store: Store) -> None:
    run = a_run(text="a secret word")
    await store.responses.save(response_of(run), run)
    query = parse("secret", datetime.fromtimestamp(NOW, UTC))
    assert await store.search(query, 10) == (run,)
    await store.responses.delete(run.answer_id, replace(run, text=""))
    assert await store.search(query, 10) == ()
