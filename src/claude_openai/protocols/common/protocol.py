"""What an HTTP protocol provides. Everything else about it derives from its entry in `http.endpoints.table`.

A protocol that stores nothing implements `StatelessProtocol` in its folder. One that stores its answers implements
`http.generation.driver.GenerationProtocol`, which may wait.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from claude_openai.core.agent import AgentRules
from claude_openai.core.events import Event
from claude_openai.core.models import Catalogue
from claude_openai.core.runs import Caller
from claude_openai.core.turn import Turn
from claude_openai.protocols.common.errors import OPENAI_ERRORS, ErrorFormat
from claude_openai.protocols.common.wire import sse

Request = TypeVar("Request")


@dataclass(frozen=True, slots=True)
class ProtocolFormat:
    """What all endpoints of one protocol have in common.

    `keep_alive` are the bytes that keep a stream alive while there is nothing to send. `header_prefixes` begin the
    names of its own request headers, which are logged. `header` is one that each of its requests has, and no other
    protocol's: with it they may have paths of other protocols, too.
    """

    errors: ErrorFormat
    keep_alive: bytes = sse.comment()
    header_prefixes: tuple[str, ...] = ()
    header: str | None = None


OPENAI: Final = ProtocolFormat(OPENAI_ERRORS, header_prefixes=("openai-", "x-stainless-"))
"""OpenAI's protocols. Requests whose protocol cannot be recognized get errors in its format, too."""


class AnswerWriter(ABC):
    """Encodes the events of a request's turns as its answer; each event comes with the number of its turn."""

    @abstractmethod
    def feed(self, choice: int, event: Event) -> bytes:
        """The bytes that a stream sends for `event`, also for a failure; empty if there is nothing to send."""

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Whether `feed` has seen all that the answer needs."""

    async def save(self) -> None:  # noqa: B027 -- most protocols store nothing
        """Store the complete answer, before its last bytes are sent."""

    @abstractmethod
    def body(self) -> str:
        """The complete answer as one JSON body."""


class GenerationRequest(Protocol):
    """A parsed request."""

    @property
    def turns(self) -> Sequence[Turn]:
        """One for each requested answer."""
        ...

    @property
    def stream(self) -> bool: ...

    @property
    def ignored(self) -> Sequence[str]:
        """Names of parameters without effect."""
        ...

    @property
    def adjusted(self) -> Sequence[str]:
        """Names of parameters that are carried with another value, and that value."""
        ...

    def writer(self, caller: Caller) -> AbstractContextManager[AnswerWriter]:
        """A block with the writer, within which the turns begin and end."""
        ...


class StatelessProtocol(Protocol[Request]):
    """A protocol that stores nothing: pure functions over a request."""

    @property
    def id_prefix(self) -> str:
        """Begins the id of an answer, such as "chatcmpl-"."""
        ...

    @property
    def format(self) -> ProtocolFormat: ...

    @property
    def parse(self) -> "Parse[Request]": ...

    def read(
        self, request: Request, catalogue: Catalogue, caller: Caller, rules: AgentRules | None, created: int
    ) -> GenerationRequest:
        """What a parsed `request` asks for; `rules` limit the agent profile, `created` is in Unix seconds.

        Raises:
            RequestFailed: it cannot be answered.
        """
        ...


Parsed_co = TypeVar("Parsed_co", covariant=True)


class Parse(Protocol[Parsed_co]):
    """Parses a body, or raises `RequestFailed`."""

    def __call__(self, body: bytes, /) -> Parsed_co: ...
