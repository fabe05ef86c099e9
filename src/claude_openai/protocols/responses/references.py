"""Resolves references to items of stored responses, which the AI SDK sends in place of the items themselves.

An item's id contains that of its response, so the item is found if the response is found.
"""

from collections.abc import Callable, Sequence
from itertools import count

from pydantic import TypeAdapter

from claude_openai.core.responses import StoredResponse
from claude_openai.protocols.responses.stored import items_with_output
from claude_openai.protocols.responses.wire.request import Item, ItemReference, ResponsesRequest

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)


def item_ids(response_id: str) -> Callable[[], str]:
    """Makes the ids of a response's items: the id of the response, and a number."""
    own, numbers = response_id.partition("_")[2], count()
    return lambda: f"{own}_o{next(numbers)}"


def referenced(request: ResponsesRequest) -> tuple[str, ...]:
    """The ids, without their prefix, of the responses whose items `request` refers to; each once."""
    references = (each for each in request.input or () if isinstance(each, ItemReference))
    owners = (each.id.partition("_")[2].rpartition("_")[0] for each in references)
    return tuple(dict.fromkeys(filter(None, owners)))


def with_items(request: ResponsesRequest, found: Sequence[StoredResponse]) -> ResponsesRequest:
    """`request` with items of the responses `found` in place of the references to them."""
    if request.input is None or isinstance(request.input, str) or not found:
        return request
    items = {item["id"]: item for stored in found for item in items_with_output(stored)}
    resolved = [
        _ITEM.validate_python(items[each.id]) if isinstance(each, ItemReference) and each.id in items else each
        for each in request.input
    ]
    return request.model_copy(update={"input": resolved})
