"""A turn lives as long as its client listens, and leaves nothing behind."""

import signal
from pathlib import Path

import anyio
import httpx2
import openai
import psutil
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from claude_openai.simulator import Gate, Reply, Stall, Text
from tests.claude_code.conftest import NEW_MODEL, Rig, session_files
from tests.patience import PATIENCE_SECONDS
from tests.processes import children

USER: ChatCompletionUserMessageParam = {"role": "user", "content": "hi"}


async def nothing_is_left(rig: Rig, sandbox: Path) -> bool:
    """Whether processes and files are gone, at the latest when those that were killed have ended."""
    with anyio.fail_after(PATIENCE_SECONDS):
        await rig.gateway.until_idle()
    _, alive = psutil.wait_procs(children(recursive=True), timeout=PATIENCE_SECONDS)
    return alive == [] and session_files(sandbox) == []


@pytest.mark.proves("lifetime.turn-over.no-traces")
async def test_a_conversation_that_is_over_leaves_no_process_and_no_file(rig: Rig, sandbox: Path) -> None:
    assert await rig.said("Say kiwi") == "kiwi"
    await rig.gateway.until_idle()
    await rig.gateway.close_idle_sessions()
    assert await nothing_is_left(rig, sandbox)


@pytest.mark.proves("lifetime.client-gone")
@pytest.mark.parametrize("stream", [True, False], ids=["streaming", "not streaming"])
@pytest.mark.parametrize("after_events", [1, 5], ids=["before a word", "in mid-answer"])
async def test_a_client_that_leaves_ends_its_turn_upstream(
    rig: Rig, sandbox: Path, stream: bool, after_events: int
) -> None:
    rig.plays(lambda _: Reply((Text(("one ", "two ")),), fault=Stall(after_events)))
    body = {"model": NEW_MODEL, "stream": stream, "messages": [USER]}
    async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http, anyio.create_task_group() as group:
        group.start_soon(lambda: http.post(f"{rig.url}/v1/chat/completions", json=body))
        with anyio.fail_after(PATIENCE_SECONDS):
            request = await rig.simulator.request(0)
        group.cancel_scope.cancel()
    with anyio.fail_after(PATIENCE_SECONDS):
        await request.closed.wait()
    assert await nothing_is_left(rig, sandbox)


@pytest.mark.proves("errors.process-died")
async def test_a_claude_code_that_is_killed_is_an_error_to_its_one_client(rig: Rig) -> None:
    gates = {"first": Gate(), "second": Gate()}
    rig.plays(lambda request: Reply((Text(("one", gates[str(request.messages[0]["content"][0]["text"])], "two")),)))
    said: dict[str, list[str]] = {"first": [], "second": []}
    failed: list[str | None] = []
    one_each = anyio.Event()

    async def listen(name: str) -> None:
        try:
            stream = await rig.client.chat.completions.create(
                model=NEW_MODEL, messages=[{"role": "user", "content": name}], stream=True
            )
            async for chunk in stream:
                said[name].append(chunk.choices[0].delta.content or "")
                if all("one" in words for words in said.values()):
                    one_each.set()
        except openai.APIError as error:
            failed.append(error.code)
            gates["second"].open()

    with anyio.fail_after(PATIENCE_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(listen, "first")
            await rig.simulator.request(0)
            (victim,) = children()  # none of those that it may have started itself
            group.start_soon(listen, "second")
            await one_each.wait()
            victim.send_signal(signal.SIGKILL)
    assert failed == ["stream_interrupted"]
    assert "".join(said["first"]) == "one"
    assert "".join(said["second"]) == "onetwo"
