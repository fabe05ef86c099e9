"""`/v1/models`: the models that a request may name."""

from starlette.types import Receive, Scope, Send

from claude_openai.http.ports import Gateway
from claude_openai.http.routing import json_response
from claude_openai.protocols.models.listing import model_object
from claude_openai.protocols.models.wire import ModelList


class Models:
    """`GET /v1/models`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        catalogue = await self._gateway.catalogue()
        answer = ModelList(data=[model_object(model, model.id, tools=catalogue.tools) for model in catalogue.listed()])
        await json_response(answer.to_json())(scope, receive, send)


class OneModel:
    """`GET /v1/models/{model}`, for every name that a request may use, also one that is not listed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["model"]
        catalogue = await self._gateway.catalogue()
        model = model_object(catalogue.resolve(name), name, tools=catalogue.tools)
        await json_response(model.to_json())(scope, receive, send)
