"""A stored response as JSON: the input items of its request, each with an id, and the response itself."""

from collections.abc import Sequence
from typing import Any

from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import RunState
from claude_openai.jsontools.incremental import decode, encode
from claude_openai.protocols.responses.wire.reply import ItemList
from claude_openai.protocols.responses.wire.request import ResponsesRequest

Items = list[dict[str, Any]]


def items_of(request: ResponsesRequest, response_id: str) -> str:
    """The input items of the request itself, as JSON; not those of the responses that it continues."""
    if isinstance(request.input, str):
        content = [{"type": "input_text", "text": request.input}]
        items: Items = [{"type": "message", "role": "user", "content": content}]
    else:
        items = [item.model_dump(mode="json", exclude_none=True) for item in request.input or []]
    own = response_id.partition("_")[2]
    return encode([{"id": f"item_{own}_{number}", **item} for number, item in enumerate(items)])


def items_with_output(stored: StoredResponse) -> Items:
    """The input items of a request and the output items of its response."""
    return [*decode(stored.items), *decode(stored.body)["output"]]


def with_final_state(body: str, state: RunState) -> str:
    """The response of a run that has ended. One whose client left, or whose server was killed, has no status of its
    own: it was stored in progress.
    """
    fields = decode(body)
    if fields["status"] != "in_progress":
        return body
    return encode({**fields, "status": "cancelled" if state is RunState.CANCELLED else "failed"})


def cancelled(body: str) -> str:
    """The response with the status `cancelled`."""
    return encode({**decode(body), "status": "cancelled"})


def input_items(stored: StoredResponse, history: Sequence[StoredResponse]) -> Items:
    """All items that the model was given for a response: those of the `history` that it continues, then its own."""
    earlier = [item for each in history for item in items_with_output(each)]
    return [*earlier, *decode(stored.items)]


def page(items: Items, *, after: str | None, limit: int, newest_first: bool) -> ItemList | None:
    """One page of `items` (OpenAI reference: List input items); None if none of them has the id `after`."""
    ordered = items[::-1] if newest_first else items
    ids = [item["id"] for item in ordered]
    if after is not None and after not in ids:
        return None
    rest = ordered if after is None else ordered[ids.index(after) + 1 :]
    shown = rest[:limit]
    first, last = (shown[0]["id"], shown[-1]["id"]) if shown else (None, None)
    return ItemList(data=[*shown], first_id=first, last_id=last, has_more=len(rest) > len(shown))
