"""Runs to store, servers that store them, and a way to wait for what a store's own thread does."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import anyio
from hypothesis import strategies as st

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState
from claude_openai.store import Retention, sqlite_store
from tests.own_loop import in_a_loop_of_its_own
from tests.patience import PATIENCE_SECONDS

NOW = 1_900_000_000.0
"""When the runs of tests arrive, so far ahead that none is forgotten for its age."""

_numbers = count(1)


def a_run(**changes: Any) -> Run:
    """A run like no other, which arrives after those made before it."""
    number = next(_numbers)
    run = Run(
        id=f"{number:032x}",
        answer_id=f"chatcmpl-{number:032x}",
        request_id=f"req-{number:08d}",
        principal="local",
        client="OpenAI/Python",
        model="claude-sonnet-5",
        state=RunState.COMPLETED,
        arrived_at=NOW + number,
    )
    return replace(run, **changes)


def response_of(run: Run, **changes: Any) -> StoredResponse:
    """The response that `run` answers."""
    response = StoredResponse(run.answer_id, run.id, run.principal, None, '[{"id": "item_1"}]', '{"output": []}')
    return replace(response, **changes)


KEEPS_ALL = Retention(days=30, max_bytes=10**9)


def remember(folder: Path, *runs: Run, retention: Retention = KEEPS_ALL) -> None:
    """The whole life of a server that saves these."""

    async def life() -> None:
        async with sqlite_store(folder, retention) as store:
            for run in runs:
                store.save(run)

    in_a_loop_of_its_own(life)


async def until(condition: Callable[[], object]) -> None:
    with anyio.fail_after(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 -- the store's thread tells nobody what it has done
            await anyio.sleep(0.001)


_texts = st.text(max_size=30)
"""Without lone surrogates, which is hypothesis' own rule; NUL is among them."""

_ids = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
_tokens = st.integers(0, 2**53)
_times = st.floats(0, 1e11)

runs = st.builds(
    Run,
    id=_ids,
    answer_id=_ids,
    request_id=_ids,
    principal=_texts,
    client=_texts,
    model=_texts,
    # Of a server that is gone, others are no longer what they were.
    state=st.sampled_from([RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED]),
    arrived_at=_times,
    began_at=st.none() | _times,
    first_token_at=st.none() | _times,
    ended_at=st.none() | _times,
    queue_position=st.integers(0, 2**31),
    session_start=st.none() | _texts,
    profile=_texts,
    finish=st.none() | _texts,
    error_code=st.none() | _texts,
    error=st.none() | _texts,
    usage=st.none() | st.builds(Usage, _tokens, _tokens, _tokens, _tokens, _tokens),
    cost_usd=st.none() | st.floats(0, 1e6),
    text=_texts,
    endpoint=_texts,
    asked_model=_texts,
    reason=st.none() | _texts,
    calls=st.lists(st.builds(ToolCall, _texts, _texts, _texts), max_size=3).map(tuple),
)
