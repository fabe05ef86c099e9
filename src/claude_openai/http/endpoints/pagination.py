"""The `limit` of a list, from the query."""

from starlette.datastructures import QueryParams

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.text import shown


def page_limit(query: QueryParams, *, default: int, most: int) -> int:
    """The number of entries of a list at most; `default` if the query has no `limit`.

    Raises:
        RequestFailed: `limit` is not a whole number from 1 to `most`.
    """
    given = query.get("limit", str(default))
    if given.isascii() and given.isdecimal() and len(given) <= len(str(most)) and 1 <= int(given) <= most:
        return int(given)
    sentence = f"limit must be a whole number from 1 to {most}, not {shown(given)!r}."
    raise RequestFailed(Failure(Kind.INVALID_REQUEST, sentence, "limit"))
