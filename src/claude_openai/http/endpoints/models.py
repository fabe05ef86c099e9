"""`/v1/models`: the models that a request with the same key may name."""

from starlette.types import Receive, Scope, Send

from claude_openai.core.failures import RequestFailed
from claude_openai.core.limits import allows_model, model_refused
from claude_openai.http.middleware.auth import identity
from claude_openai.http.ports import Gateway
from claude_openai.http.routing import json_response
from claude_openai.protocols.models.listing import model_object
from claude_openai.protocols.models.wire import ModelList


class Models:
    """`GET /v1/models`."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        catalogue, limits = await self._gateway.catalogue(), identity(scope).limits
        allowed = [
            model for model in catalogue.listed() if allows_model(limits, catalogue.resolve(model.id), catalogue)
        ]
        answer = ModelList(data=[model_object(model, model.id, tools=catalogue.tools) for model in allowed])
        await json_response(answer.to_json())(scope, receive, send)


class OneModel:
    """`GET /v1/models/{model}`, for every name that a request may use, also one that is not listed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["model"]
        catalogue, who = await self._gateway.catalogue(), identity(scope)
        found = catalogue.resolve(name)
        if not allows_model(who.limits, found, catalogue):
            raise RequestFailed(model_refused(who.name or "", who.limits, found))
        model = model_object(found, name, tools=catalogue.tools)
        await json_response(model.to_json())(scope, receive, send)
