"""Items that a client names in place of sending them again, as the AI SDK does with what a stored response had.

An item's id has that of its response in it, so that it is found where the response is, and nowhere else.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import count

from pydantic import TypeAdapter

from claude_openai.core.responses import StoredResponse
from claude_openai.protocols.responses.stored import items_with_output
from claude_openai.protocols.responses.wire.request import Item, ItemReference, ResponsesRequest

_ITEM: TypeAdapter[Item] = TypeAdapter(Item)


def item_ids(response_id: str) -> Callable[[], str]:
    """What makes the ids of a response's items: that of the response, and a number."""
    own, numbers = response_id.partition("_")[2], count()
    return lambda: f"{own}_o{next(numbers)}"


def referenced(request: ResponsesRequest) -> tuple[str, ...]:
    """The ids of the responses whose items are named, without their prefix, each once."""
    owners = (each.id.partition("_")[2].rpartition("_")[0] for each in _references(request))
    return tuple(dict.fromkeys(filter(None, owners)))


def with_items(request: ResponsesRequest, found: Sequence[StoredResponse]) -> ResponsesRequest:
    """The request with those items in place of their names that are among the responses found."""
    if request.input is None or isinstance(request.input, str) or not found:
        return request
    said = {item["id"]: item for stored in found for item in items_with_output(stored)}
    named = [
        _ITEM.validate_python(said[each.id]) if isinstance(each, ItemReference) and each.id in said else each
        for each in request.input
    ]
    return request.model_copy(update={"input": named})


def _references(request: ResponsesRequest) -> Iterable[ItemReference]:
    return (each for each in request.input or () if isinstance(each, ItemReference))
