"""`/v1/models`: the names that a request may give for its model."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from claude_openai.http.ports import Gateway
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.models.listing import model_object
from claude_openai.protocols.models.wire import ModelList


class Models:
    """`GET /v1/models`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        catalogue = await self._gateway.catalogue()
        answer = ModelList(data=[model_object(model, model.id, tools=catalogue.tools) for model in catalogue.listed()])
        await _json(answer)(scope, receive, send)


class OneModel:
    """`GET /v1/models/{model}`, under whatever name a request could give, also one that is not listed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["model"]
        catalogue = await self._gateway.catalogue()
        await _json(model_object(catalogue.resolve(name), name, tools=catalogue.tools))(scope, receive, send)


def _json(answer: Reply) -> Response:
    return Response(answer.to_json(), media_type="application/json")
