"""Processes and places are bounded, and what befalls one process is nobody's trouble but that of the one it serves."""

import shlex
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import httpx2
import openai
import psutil
import pytest

from claude_openai.claude_code.processes.pool_state import MAX_BACKOFF_SECONDS
from claude_openai.claude_code.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.core.events import TextDelta, TurnFailed, TurnFinished
from claude_openai.core.failures import Kind
from claude_openai.core.messages import AssistantMessage, UserMessage
from claude_openai.core.messages import Text as CoreText
from claude_openai.core.models import Model
from claude_openai.core.turn import Turn
from claude_openai.simulator import Gate, RecordedRequest, Replies, Reply, Simulator, Stall, Text
from claude_openai.testing.batches import each_event
from tests.claude_code.conftest import NEW_MODEL, Rig, Serve, spoken, text
from tests.claude_code.test_live import Chat, native, newest, ways
from tests.claude_code.test_tools import TOOLS, message, outcome, results, sessions, weather
from tests.claude_code.test_warm import counted, processes, ready, until
from tests.patience import PATIENCE_SECONDS

REFUSING = r"""while read line; do
  id=$(printf '%s' "$line" | sed 's/.*"request_id": *"//; s/".*//')
  printf '{"type":"control_response","response":{"subtype":"error","request_id":"%s","error":"no"}}\n' "$id"
done"""

TURN = Turn(Model(NEW_MODEL), (UserMessage((CoreText("hi"),)),))


def gated(gates: dict[str, Gate]) -> Callable[[RecordedRequest], Reply]:
    """Answers with the user's own words, some of them in two halves with a gate between them."""

    def answer(request: RecordedRequest) -> Reply:
        words = newest(request)
        return Reply((Text(("Re: ", gates[words], words)),)) if words in gates else Reply.of(f"Re: {words}")

    return answer


def claude(folder: Path, *before: str) -> Path:
    """A command that is Claude Code, once these lines of shell are through; `$0` is its own path."""
    script = folder / "claude"
    run = f'exec {shlex.quote(str(bundled_cli()))} "$@"'
    script.write_text("\n".join(("#!/bin/sh", *before, run, "")))
    script.chmod(0o755)
    return script


@pytest.mark.proves("processes.bounded", "conversations.reasons")
async def test_the_least_recently_used_makes_room_and_there_are_never_more_than_so_many(serve: Serve) -> None:
    first, second, third, fourth, fifth = names = ("first", "second", "third", "fourth", "fifth")
    steps = [
        *((first, "warm"), (second, "warm"), (first, "live"), (third, "warm"), (first, "live")),
        *((second, "rebuilt"), (fourth, "warm"), (second, "live"), (fifth, "warm"), (second, "live")),
    ]
    async with serve(max_processes=3, warm_processes=1, max_concurrency=2) as rig, counted() as counts:
        rig.plays(gated({}))
        chats = {name: Chat(rig) for name in names}
        for name, way in steps:
            await ready(rig)
            before = rig.gateway.load().turns
            answer = await chats[name].say(name)
            assert message(answer).content == f"Re: {name}"
            assert spoken(rig.simulator.requests[-1]) == native(chats[name].messages[:-1])
            after = rig.gateway.load().turns
            assert after[way] == before.get(way, 0) + 1, (name, way)
        assert rig.gateway.load().miss_reasons == {"evicted": 1}
        await ready(rig)
    assert max(counts) == 3


@pytest.mark.proves("processes.bounded", "tools.rebuilt")
async def test_who_is_parked_goes_only_where_nobody_rests_and_its_results_are_answered_all_the_same(
    serve: Serve,
) -> None:
    gates = {"one more": Gate()}
    async with serve(max_processes=2, max_concurrency=2) as rig:
        parked, second, third, fourth = Chat(rig, tools=TOOLS), Chat(rig), Chat(rig), Chat(rig)
        rig.plays(Replies(weather()))
        brought = results(await parked.say("weather?"), ["32"])
        rig.plays(gated(gates))
        (keeps,) = processes()
        await second.say("two")
        await third.say("three")  # makes the second go, which rests, though the first has waited for longer
        assert keeps in processes()
        assert rig.gateway.load().processes.parked == 1
        async with anyio.create_task_group() as group:
            group.start_soon(third.say, "one more")
            with anyio.fail_after(PATIENCE_SECONDS):
                await gates["one more"].reached.wait()
            await fourth.say("four")
            assert keeps not in processes()
            gates["one more"].open()
        rig.plays(Replies("Hot."))
        parked.messages += brought
        assert message(await parked.go_on()).content == "Hot."
        assert outcome(rig.asked)[0] == [text("32")]
        assert rig.gateway.load().miss_reasons == {"evicted": 1}


@pytest.mark.proves("processes.replaced", "conversations.reasons")
async def test_a_process_is_replaced_after_so_many_answers_but_not_while_calls_are_open(serve: Serve) -> None:
    async with serve(max_process_turns=2) as rig:
        rig.plays(Replies(weather("Rome"), weather("Ur"), "In Ur.", "Yes.", "Yes!", "No."))
        chat = Chat(rig, tools=TOOLS)
        answer = await chat.say("Where is it warm?")
        for degrees in ("32", "45"):
            chat.messages += results(answer, [degrees])
            answer = await chat.go_on()
        for words in ("Really?", "Surely?", "Certainly?"):
            await chat.say(words)
            assert newest(rig.simulator.requests[-1]) == words
        assert list(sessions(rig.simulator.requests).values()) == [3, 2, 1]
        assert rig.gateway.load().miss_reasons == {"worn": 2}


@pytest.mark.proves("processes.replaced")
async def test_a_process_is_replaced_above_a_size(serve: Serve) -> None:
    async with serve(max_process_memory=1) as rig:
        rig.plays(gated({}))
        chat = Chat(rig)
        await chat.say("one")
        await until(lambda: not processes())
        assert message(await chat.say("two")).content == "Re: two"
        assert spoken(rig.simulator.requests[-1]) == native(chat.messages[:-1])
        assert rig.gateway.load().miss_reasons == {"worn": 1}


@pytest.mark.proves("errors.process-died", "conversations.exact")
async def test_a_process_that_dies_between_two_turns_or_before_a_word_is_not_noticed(rig: Rig) -> None:
    rig.plays(gated({}))
    chat = Chat(rig)
    await chat.say("one")
    kill(processes())
    before = ways(rig)
    assert message(await chat.say("two")).content == "Re: two"
    assert (ways(rig) - before)["rebuilt"] == 1
    silence = iter([Reply.of("never", fault=Stall(0))])
    rig.plays(lambda request: next(silence, Reply.of(f"Re: {newest(request)}")))
    async with anyio.create_task_group() as group:
        group.start_soon(chat.say, "three")
        with anyio.fail_after(PATIENCE_SECONDS):
            await rig.simulator.request(0)
        kill(processes())
    assert message(await chat.say("four")).content == "Re: four"
    assert [spoken(request) for request in rig.simulator.requests] == [
        native(chat.messages[:5]),
        native(chat.messages[:5]),
        native(chat.messages[:7]),
    ]
    assert list(sessions(rig.simulator.requests).values()) == [1, 2]


@pytest.mark.proves("errors.process-died")
async def test_a_process_that_dies_in_mid_answer_is_an_error_to_its_one_client_who_can_ask_again(rig: Rig) -> None:
    gates = {"mine": Gate(), "yours": Gate()}
    rig.plays(gated(gates))
    mine, yours = Chat(rig), Chat(rig)
    await mine.say("hi")
    victim = processes()
    await yours.say("hello")
    mine.messages.append({"role": "user", "content": "mine"})
    said: list[str] = []
    failed: list[str | None] = []
    begun = anyio.Event()

    async def listen() -> None:
        request: dict[str, Any] = {"model": NEW_MODEL, "messages": mine.messages, "stream": True}
        async for chunk in await rig.client.chat.completions.create(**request):
            said.append(chunk.choices[0].delta.content or "")
            if said[-1]:
                begun.set()

    async def fail() -> None:
        with pytest.raises(openai.APIError) as caught:
            await listen()
        failed.append(caught.value.code)
        gates["yours"].open()

    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(fail)
            group.start_soon(yours.say, "yours")
            await begun.wait()
            await gates["yours"].reached.wait()
            kill(victim)
    assert ("".join(said), failed) == ("Re: ", ["stream_interrupted"])
    assert yours.messages[-1]["content"] == "Re: yours"
    gates["mine"].open()
    assert message(await mine.go_on()).content == "Re: mine"
    assert spoken(rig.simulator.requests[-1]) == native(mine.messages[:-1])


def kill(victims: set[psutil.Process]) -> None:
    (victim,) = victims
    victim.send_signal(signal.SIGKILL)


@pytest.mark.proves("processes.trouble")
async def test_a_process_that_hangs_at_its_start_is_given_up(
    upstream: tuple[Simulator, dict[str, str]], tmp_path: Path
) -> None:
    hanging = claude(tmp_path, "exec sleep 600")
    backend = SdkBackend(SdkSettings(str(hanging), upstream[1], start_timeout=0.2))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with backend.open(TURN) as session:
            (failed,) = [event async for event in each_event(session.events())]
            assert isinstance(failed, TurnFailed)
            assert failed.failure.kind is Kind.CLAUDE_CODE_FAILED
            assert processes() == set()


@pytest.mark.proves("processes.trouble", "processes.warm")
async def test_where_the_process_that_waited_hangs_another_one_answers(
    upstream: tuple[Simulator, dict[str, str]], tmp_path: Path
) -> None:
    simulator, login = upstream
    simulator.script = lambda _: Reply.of("fine")
    command = claude(tmp_path, 'rm "$0.hangs" 2>/dev/null && exec sleep 600')
    hangs = command.with_suffix(".hangs")
    backend = SdkBackend(SdkSettings(str(command), login, warm_processes=1, introduction_timeout=0.2))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(backend.run)
            await backend.describe()
            hangs.touch()
            await until(lambda: processes() and not hangs.exists())
            async with backend.open(TURN) as session:
                events = [event async for event in each_event(session.events())]
                assert session.start == "cold"
            group.cancel_scope.cancel()
    assert TextDelta("fine") in events
    assert events[-1] == TurnFinished("stop")


@pytest.mark.proves("processes.trouble")
async def test_a_process_that_reads_no_more_is_given_up(upstream: tuple[Simulator, dict[str, str]]) -> None:
    simulator, login = upstream
    simulator.script = lambda _: Reply.of("fine")
    backend = SdkBackend(SdkSettings(str(bundled_cli()), login, hand_over_timeout=0.2))
    more = UserMessage((CoreText("x" * 1_000_000),))
    with anyio.fail_after(PATIENCE_SECONDS):
        async with backend.open(TURN) as session:
            assert [event async for event in each_event(session.events())][-1] == TurnFinished("stop")
            (process,) = processes()
            process.suspend()
            assert not await session.resume(replace(TURN, messages=(*TURN.messages, AssistantMessage("fine"), more)))
            process.resume()
    assert processes() == set()


@pytest.mark.proves("processes.trouble")
@pytest.mark.parametrize(
    "instead",
    ["exit 0", REFUSING],
    ids=["ends without a word", "refuses"],
)
async def test_a_process_that_does_not_let_itself_be_introduced_has_failed_to_start(
    upstream: tuple[Simulator, dict[str, str]], tmp_path: Path, instead: str
) -> None:
    backend = SdkBackend(SdkSettings(str(claude(tmp_path, instead)), upstream[1]))
    for _ in range(3):
        with anyio.fail_after(PATIENCE_SECONDS):
            async with backend.open(TURN) as session:
                (failed,) = [event async for event in each_event(session.events())]
                assert isinstance(failed, TurnFailed)
                assert failed.failure.kind is Kind.CLAUDE_CODE_FAILED
    assert backend.status().start_failure is not None


@pytest.mark.proves("processes.trouble", "http.health.not-ready", "conversations.live")
async def test_after_three_failed_starts_in_a_row_requests_are_refused_for_a_while(
    serve: Serve, tmp_path: Path
) -> None:
    command = claude(tmp_path, 'echo started >> "$0.log"', '[ -e "$0.broken" ] && exit 3')
    log, broken = command.with_suffix(".log"), command.with_suffix(".broken")
    async with serve(claude_command=str(command)) as rig:
        rig.plays(gated({}))
        chat = Chat(rig)
        await chat.say("one")
        broken.touch()
        for _ in range(3):
            assert (await health(rig)).status_code == 200
            failed = await refusal(rig)
            assert (failed.status_code, failed.code, seconds(failed)) == (502, "claude_code_failed", 0)
        while not seconds(
            refused := await refusal(rig)
        ):  # so slowly that the back-off was over: the next one is longer
            assert refused.code == "claude_code_failed"
        starts = log.read_text()
        assert refused.code == "claude_code_failed"
        assert seconds(refused) <= MAX_BACKOFF_SECONDS
        told = await health(rig)
        assert (told.status_code, told.json()["ready"]) == (503, False)
        assert "failed to start " in told.json()["reason"]
        assert message(await chat.say("two")).content == "Re: two"  # who has a process does not notice
        assert log.read_text() == starts
        broken.unlink()
        told_of = await rig.gateway.description()
        await until(lambda: (outage := rig.gateway.outage(told_of)) is not None and outage.until is None)
        assert message(await Chat(rig).say("three")).content == "Re: three"
        assert (await health(rig)).json()["ready"] is True


@pytest.mark.proves("processes.trouble")
async def test_three_failed_starts_of_processes_that_were_to_wait_are_trouble_too(serve: Serve, tmp_path: Path) -> None:
    command = claude(tmp_path, '[ -e "$0.broken" ] && echo x >> "$0.log" && exit 3')
    log, broken = command.with_suffix(".log"), command.with_suffix(".broken")
    async with serve(claude_command=str(command), warm_processes=1) as rig:
        rig.plays(gated({}))
        await ready(rig)
        broken.touch()
        assert message(await Chat(rig).say("one")).content == "Re: one"
        told_of = await rig.gateway.description()
        await until(lambda: rig.gateway.outage(told_of))
        assert log.read_text().count("x") >= 3
        while not seconds(refused := await refusal(rig)):  # as above
            assert refused.code == "claude_code_failed"
        assert refused.code == "claude_code_failed"


async def health(rig: Rig) -> httpx2.Response:
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
        return await http.get(f"{rig.url}/health")


async def refusal(rig: Rig) -> openai.APIStatusError:
    """What a new conversation is told instead of an answer."""
    with pytest.raises(openai.APIStatusError) as caught:
        await Chat(rig).say("hi")
    return caught.value


def seconds(refused: openai.APIStatusError) -> int:
    """When to come back; 0 where that was not told."""
    return int(refused.response.headers.get("retry-after", 0))


async def queued(rig: Rig, count: int) -> None:
    await until(lambda: rig.gateway.load().waiting == count)


@pytest.mark.proves("admission.bounded", "admission.queue-full", "lifetime.client-gone")
async def test_who_finds_no_place_waits_leaves_or_is_refused_at_once(serve: Serve) -> None:
    gates = {"first": Gate()}
    chats: dict[str, Chat] = {}
    async with serve(max_concurrency=1, max_queue_size=2) as rig:
        rig.plays(gated(gates))

        async def ask(name: str, leaving: anyio.CancelScope) -> None:
            with leaving:
                chats[name] = Chat(rig)
                await chats[name].say(name)

        async with anyio.create_task_group() as group:
            scopes = {name: anyio.CancelScope() for name in ("first", "leaves", "third", "fourth")}
            for waiting, name in enumerate(("first", "leaves", "third")):
                group.start_soon(ask, name, scopes[name])
                await queued(rig, waiting)
                with anyio.fail_after(PATIENCE_SECONDS):
                    await gates["first"].reached.wait()
            refused = await refusal(rig)
            assert (refused.status_code, refused.code) == (429, "queue_full")
            assert seconds(refused) >= 1
            scopes["leaves"].cancel()
            await queued(rig, 1)
            group.start_soon(ask, "fourth", scopes["fourth"])
            await queued(rig, 2)
            assert [newest(request) for request in rig.simulator.requests] == ["first"]
            assert rig.gateway.load().running == len(processes()) == 1
            gates["first"].open()
        assert [newest(request) for request in rig.simulator.requests] == ["first", "third", "fourth"]
        assert chats["fourth"].messages[-1]["content"] == "Re: fourth"


@pytest.mark.proves("admission.bounded", "stream.keep-alive")
async def test_a_stream_that_waits_in_the_queue_has_comments_and_then_its_answer(serve: Serve) -> None:
    gates = {"first": Gate()}
    body: dict[str, Any] = {
        "model": NEW_MODEL,
        "stream": True,
        "messages": [{"role": "user", "content": "second"}],
    }
    lines: list[str] = []
    async with serve(max_concurrency=1, keep_alive_interval=0.05) as rig:
        rig.plays(gated(gates))
        async with anyio.create_task_group() as group, httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            group.start_soon(Chat(rig).say, "first")
            with anyio.fail_after(PATIENCE_SECONDS):
                await gates["first"].reached.wait()
            async with http.stream("POST", f"{rig.url}/v1/chat/completions", json=body) as answer:
                async for line in answer.aiter_lines():
                    lines.append(line)
                    assert gates["first"].opened.is_set() or line in {": keep-alive", ""}
                    gates["first"].open()
    assert answer.status_code == 200
    assert lines[0] == ": keep-alive"
    assert any('"Re: second"' in line for line in lines)
    assert [line for line in lines if line][-1] == "data: [DONE]"
