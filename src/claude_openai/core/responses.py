"""A stored response of the Responses API, which its client can fetch, continue, cancel and delete."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """`items` are the input items of the request and `body` is the response, both as JSON text of that API.

    `previous_id` is the response that it continues. `run_id` is the run that answers it: the run says whether the
    response is still being answered, and the response is deleted with the run.
    """

    id: str
    run_id: str
    principal: str
    previous_id: str | None
    items: str
    body: str
