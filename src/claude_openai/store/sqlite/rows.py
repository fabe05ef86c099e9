"""A run as a row of the table `runs`, and back: the one place that knows both."""

import json
from typing import NamedTuple

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Kept, Run, RunState
from claude_openai.jsontools.surrogates import without_surrogates


class Row(NamedTuple):
    """The columns of `runs` and of `standing`, in their order."""

    id: str
    answer_id: str
    request_id: str
    principal: str
    client: str
    model: str
    state: str
    arrived_at: float
    began_at: float | None
    first_token_at: float | None
    ended_at: float | None
    place: int
    way: str | None
    profile: str
    finish: str | None
    error_code: str | None
    error: str | None
    input_tokens: int | None
    output_tokens: int | None
    cache_creation_tokens: int | None
    cache_read_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: float | None
    text: str
    calls: str
    server: int | None
    kept_items: str | None
    kept_response: str | None


def row_of(run: Run, server: int | None) -> Row:
    usage = run.usage
    return Row(
        id=run.id,
        answer_id=run.answer_id,
        request_id=run.request_id,
        principal=run.principal,
        client=run.client,
        model=run.model,
        state=run.state.value,
        arrived_at=run.arrived_at,
        began_at=run.began_at,
        first_token_at=run.first_token_at,
        ended_at=run.ended_at,
        place=run.queue_position,
        way=run.session_start,
        profile=run.profile,
        finish=run.finish,
        error_code=run.error_code,
        error=run.error,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        cache_creation_tokens=usage.cache_creation_tokens if usage else None,
        cache_read_tokens=usage.cache_read_tokens if usage else None,
        reasoning_tokens=usage.reasoning_tokens if usage else None,
        cost_usd=run.cost_usd,
        text=run.text,
        calls=json.dumps([(call.id, call.name, call.arguments) for call in run.calls], ensure_ascii=False),
        server=server,
        kept_items=run.kept.items if run.kept else None,
        kept_response=run.kept.response if run.kept else None,
    )


def run_of(row: Row) -> Run:
    return Run(
        id=row.id,
        answer_id=row.answer_id,
        request_id=row.request_id,
        principal=row.principal,
        client=row.client,
        model=row.model,
        state=RunState(row.state),
        arrived_at=row.arrived_at,
        began_at=row.began_at,
        first_token_at=row.first_token_at,
        ended_at=row.ended_at,
        queue_position=row.place,
        session_start=row.way,
        profile=row.profile,
        finish=row.finish,
        error_code=row.error_code,
        error=row.error,
        usage=_usage(row),
        cost_usd=row.cost_usd,
        text=row.text,
        calls=tuple(ToolCall(*call) for call in json.loads(row.calls)),
        kept=_kept(row),
    )


def utf8_safe(run: Run) -> Run:
    """`run` in characters that UTF-8 can write; itself, where it already is."""
    row = row_of(run, None)
    mended_row = Row._make(_mended(value) for value in row)
    return run if mended_row == row else run_of(mended_row)


def _usage(row: Row) -> Usage | None:
    if row.input_tokens is None or row.output_tokens is None:
        return None
    return Usage(
        row.input_tokens,
        row.output_tokens,
        row.cache_creation_tokens or 0,
        row.cache_read_tokens or 0,
        row.reasoning_tokens or 0,
    )


def _kept(row: Row) -> Kept | None:
    if row.kept_items is None or row.kept_response is None:
        return None
    return Kept(row.kept_items, row.kept_response)


def _mended(value: object) -> object:
    return without_surrogates(value) if isinstance(value, str) and not value.isascii() else value
