"""Runs a protocol that stores nothing in the generation driver: its pure functions, in a thread if they take long."""

from functools import partial
from typing import Generic

from claude_openai.core.runs import Caller
from claude_openai.http.generation.context import GenerationContext, run_in_thread_if_large
from claude_openai.protocols.common.protocol import GenerationRequest, ProtocolFormat, Request, StatelessProtocol


class Stateless(Generic[Request]):
    """Implements `http.generation.driver.GenerationProtocol` over `protocol`."""

    def __init__(self, protocol: StatelessProtocol[Request]) -> None:
        self._protocol = protocol
        self.id_prefix: str = protocol.id_prefix
        self.format: ProtocolFormat = protocol.format

    async def read(self, body: bytes, caller: Caller, context: GenerationContext) -> GenerationRequest:
        """See `GenerationProtocol.read`."""
        request = await run_in_thread_if_large(len(body), self._protocol.parse, body)
        catalogue = await context.gateway.catalogue()
        read = partial(self._protocol.read, request, catalogue, caller, context.agent_rules, context.now())
        return await run_in_thread_if_large(len(body), read)
