"""What is kept of a response, as JSON: the items it was asked with, each with an id, and the response itself."""

import json
from collections.abc import Sequence
from typing import Any

from claude_openai.core.runs import TERMINAL_STATES, Kept, RunState
from claude_openai.protocols.responses.wire.reply import ItemList
from claude_openai.protocols.responses.wire.request import ResponsesRequest

Items = list[dict[str, Any]]


def items_of(request: ResponsesRequest, response_id: str) -> str:
    """What the client asked with; not what was said before it."""
    if isinstance(request.input, str):
        content = [{"type": "input_text", "text": request.input}]
        items: Items = [{"type": "message", "role": "user", "content": content}]
    else:
        items = [item.model_dump(mode="json", exclude_none=True) for item in request.input or []]
    own = response_id.partition("_")[2]
    return json.dumps([{"id": f"item_{own}_{number}", **item} for number, item in enumerate(items)])


def said_in(items: str, response: str) -> Items:
    """Everything that was said in one request and its answer."""
    return [*json.loads(items), *json.loads(response)["output"]]


def previous_response_id(response: str) -> str | None:
    """The response that this one went on from."""
    found = json.loads(response).get("previous_response_id")
    return found if isinstance(found, str) else None


def with_final_state(response: str, state: RunState) -> str:
    """The response of a run that is over: one that broke off before its end had no chance to say so."""
    told = json.loads(response)
    if told["status"] != "in_progress" or state not in TERMINAL_STATES:
        return response
    return json.dumps({**told, "status": "cancelled" if state is RunState.CANCELLED else "failed"})


def cancelled(response: str) -> str:
    """The response, as it is once it was cancelled."""
    return json.dumps({**json.loads(response), "status": "cancelled"})


def asked_with(kept: Kept, history: Sequence[Kept]) -> Items:
    """All that the model was given for a response: what was said in the `history` before it, then its own items."""
    earlier = [item for each in history for item in said_in(each.items, each.response)]
    return [*earlier, *json.loads(kept.items)]


def page(items: Items, *, after: str | None, limit: int, newest_first: bool) -> ItemList | None:
    """One page of `items` (OpenAI reference: List input items); None where `after` is none of them."""
    ordered = items[::-1] if newest_first else items
    begin = 0 if after is None else _behind(ordered, after)
    if begin is None:
        return None
    rest = ordered[begin:]
    shown = rest[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    return ItemList(data=[*shown], first_id=first, last_id=last, has_more=len(rest) > len(shown))


def _behind(items: Sequence[dict[str, Any]], after: str) -> int | None:
    return next((place + 1 for place, item in enumerate(items) if item["id"] == after), None)
