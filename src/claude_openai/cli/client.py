"""The commands' client of a running server's HTTP API, with a key (`ServerOption.key`) and timeouts.

It follows no redirects, so that only the chosen server gets the key; for a server on this machine it uses no proxy.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar
from urllib.parse import urlsplit

import click
from pydantic import BaseModel, ValidationError

from claude_openai.cli.formatting import digits
from claude_openai.cli.options import given, some_options
from claude_openai.errors import ExitCode, LaunchError, NotRunning
from claude_openai.protocols.runs.wire import RunActivity, RunCall, RunList, RunObject, RunText
from claude_openai.settings import Settings, is_loopback
from claude_openai.system.instances import on_port, running
from claude_openai.text import COMMANDS_CLIENT, one_line

if TYPE_CHECKING:
    from httpx2 import Client, Response

CONNECT_SECONDS: Final = 3.0
ANSWER_SECONDS: Final = 10.0
"""Timeout of an answer; a list of a thousand runs takes a tenth of a second."""

SILENCE_SECONDS: Final = 60.0
"""Timeout of a silent stream, in addition to the interval of its keep-alive comments."""

LONGEST_EVENT: Final = 64 * 1024 * 1024
"""Characters: the whole text of an ended run is one event."""

MOST_RUNS: Final = 1000
"""Runs in one list at most."""

MOST_CANDIDATES: Final = 5

UNKNOWN_RUN: Final = "run_not_found"
"""The code of the error about an id that no run has."""

Wire = TypeVar("Wire", bound=BaseModel)

_SETTINGS: Final = ("config", "api_key", "api_key_file", "data_dir")


@dataclass(frozen=True, slots=True)
class ServerOption:
    """The server that a command talks to: the one at `url`, the one on `port`, or the only one that runs."""

    settings: Settings
    port: int | None = None
    url: str | None = None
    names_key: bool = False
    """Whether an option names the API key to use."""

    @property
    def is_named(self) -> bool:
        """Whether an option names the server."""
        return bool(self.url) or self.port is not None

    def key(self, url: str) -> str | None:
        """The key for the server at `url`: that of the options; for a server of yours the owner's token, which is good
        for the runs of all keys; else the first key of the settings.
        """
        if not self.names_key and (own := next((each.owner_token for each in running() if each.url == url), None)):
            return own
        return next((key.get_secret_value() for key in self.settings.api_keys), None)

    def found(self) -> str | None:
        """The server's URL; None if no server runs and none was named.

        Raises:
            NotRunning: no server runs on the named port.
            click.UsageError: several servers run, and none was named.
        """
        if self.url:
            return self.url
        servers = on_port(self.port, self.settings.port)
        if len(servers) > 1:
            ports = ", ".join(str(each.port) for each in servers)
            raise click.UsageError(f"several servers run, on ports {ports}: name one with --port")
        if not servers and self.port is not None:
            raise NotRunning(f"no server of yours runs on port {self.port}", "see which do with: claude-openai status")
        return servers[0].url if servers else None


def about_a_server(command: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator that adds the options to choose a server. The command gets a `ServerOption` and its own options."""

    @click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="Ask the server on this port.")
    @click.option("--url", type=_Url(), metavar="URL", help="Ask the server at this address, which may be another's.")
    @some_options(*_SETTINGS)
    @wraps(command)
    def with_choice(*, port: int | None, url: str | None, **parameters: object) -> object:
        flags = given({name: parameters.pop(name) for name in _SETTINGS})
        settings = Settings.load(flags, click.get_current_context().obj)
        names_key = not flags.keys().isdisjoint({"api_key", "api_key_file"})
        return command(ServerOption(settings, port, url, names_key), **parameters)

    return with_choice


class RunId(click.ParamType[str]):
    """The id of a run, of its answer or of its request, or the beginning of one."""

    name = "run id"
    _shape: ClassVar = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the id, so that it can be part of a URL."""
        if not self._shape.fullmatch(value):
            self.fail(f"{value!r} is not an id of a run, nor the beginning of one", param, ctx)
        return str(value)


class ServerRefused(LaunchError):
    """The server refused a request; `code` is the code of its error."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, hint: str | None = None, code: str | None = None) -> None:
        super().__init__(message, hint)
        self.code = code


RunOutput = RunText | RunCall | RunActivity
"""The output of a run: a piece of text, a call of a client's tool, a use of Claude Code's own tools."""

FollowedEvent = RunOutput | RunObject
"""The events of a followed run; the run itself comes last."""

_KINDS: Final[Mapping[str, type[FollowedEvent]]] = {
    "text": RunText,
    "tool_call": RunCall,
    "activity": RunActivity,
    "end": RunObject,
}


class Api:
    """The parts of a server's API that commands need. Every method raises `ServerRefused` without a good answer."""

    def __init__(self, client: "Client", url: str, silence: float) -> None:
        self._client = client
        self._url = url
        self._silence = silence

    def runs(self, limit: int, state: str | None = None, query: str = "") -> Sequence[RunObject]:
        """The runs that match `query`, latest first unless it has another order."""
        wanted = {"limit": str(limit), **({"state": state} if state else {}), **({"q": query} if query else {})}
        return self._read(RunList, self._answer("GET", "/runs", wanted)).data

    def run(self, run_id: str) -> RunObject:
        """One run with its text and calls, by the beginning of an id."""
        with self._reporting_candidates(run_id):
            return self._read(RunObject, self._answer("GET", f"/runs/{run_id}"))

    def cancel(self, run_id: str) -> RunObject:
        """Cancel a run; return it as it is then."""
        with self._reporting_candidates(run_id):
            return self._read(RunObject, self._answer("POST", f"/runs/{run_id}/cancel"))

    def follow(self, run_id: str) -> Iterator[FollowedEvent]:
        """The output of a run so far, and its further output until it ends."""
        import httpx2  # noqa: PLC0415 -- 60 ms, which --help need not wait for

        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS, read=self._silence)
        stream = self._client.stream("GET", f"/runs/{run_id}/events", timeout=timeout)
        with self._reporting_candidates(run_id), self._reporting_transport_errors(), stream as answer:
            if not answer.is_success:
                answer.read()
                raise self._refused(answer)
            with suppress(httpx2.RemoteProtocolError, httpx2.ReadError):  # the server died, which is reported below
                for event in httpx2.EventSource(answer, LONGEST_EVENT):
                    if kind := _KINDS.get(event.event):  # thinking, and events of later versions, are ignored
                        yield self._read(kind, event.data)
                    if event.event == "end":
                        return
        raise ServerRefused(f"{self._url} ended the stream before the run was over", _SERVER_LOG)

    def _answer(self, method: str, path: str, wanted: dict[str, str] | None = None) -> bytes:
        with self._reporting_transport_errors():
            answer = self._client.request(method, path, params=wanted)
        if answer.is_success:
            return answer.content
        raise self._refused(answer)

    @contextmanager
    def _reporting_transport_errors(self) -> Iterator[None]:
        import httpx2  # noqa: PLC0415 -- see above

        try:
            yield
        except httpx2.TimeoutException:
            raise ServerRefused(
                f"{self._url} does not answer in time", "see how it is with: claude-openai status"
            ) from None
        except httpx2.HTTPError as error:
            why = one_line(str(error)) or type(error).__name__
            raise ServerRefused(
                f"{self._url} cannot be asked: {why}", "see what runs with: claude-openai status"
            ) from None

    @contextmanager
    def _reporting_candidates(self, run_id: str) -> Iterator[None]:
        try:
            yield
        except ServerRefused as refused:
            if refused.code == UNKNOWN_RUN:
                raise unknown(run_id) from None
            if refused.code == "run_id_ambiguous":
                raise ambiguous(run_id, self.runs(MOST_RUNS)) from None
            raise

    def _refused(self, answer: "Response") -> ServerRefused:
        try:
            error = _Body.model_validate_json(answer.content).error
        except ValidationError:
            return ServerRefused(f"{self._url} answered with status {answer.status_code}", "is a claude-openai there?")
        if answer.status_code == 401:  # noqa: PLR2004 -- HTTP's
            fault = "does not accept this API key" if "authorization" in self._client.headers else "needs an API key"
            remedy = "set CLAUDE_OPENAI_API_KEY to one of its keys, or name its --api-key-file"
            return ServerRefused(f"{self._url} {fault}", remedy, error.code)
        return ServerRefused(one_line(error.message).rstrip("."), None, error.code)

    def _read(self, kind: type[Wire], data: bytes | str) -> Wire:
        try:
            return kind.model_validate_json(data)
        except ValidationError:
            raise ServerRefused(f"what {self._url} answers is not understood", "is it of another version?") from None


@contextmanager
def api(url: str, choice: ServerOption) -> Iterator[Api]:
    """A context manager with the API of the server at `url`, as `choice` has found it."""
    import httpx2  # noqa: PLC0415 -- see above

    key = choice.key(url)
    local = is_loopback(urlsplit(url).hostname or "")
    timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    with httpx2.Client(
        base_url=url,
        headers={"user-agent": COMMANDS_CLIENT, **({"authorization": f"Bearer {key}"} if key else {})},
        timeout=timeout,
        trust_env=not local,
    ) as client:
        yield Api(client, url, SILENCE_SECONDS + choice.settings.keep_alive_interval)


def needs_key(url: str) -> bool | None:
    """Whether the server at `url` asks its clients for an API key; None if it does not answer."""
    import httpx2  # noqa: PLC0415 -- see above

    local = is_loopback(urlsplit(url).hostname or "")
    timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    try:
        answer = httpx2.get(
            f"{url}/v1/models", headers={"user-agent": COMMANDS_CLIENT}, timeout=timeout, trust_env=not local
        )
    except httpx2.HTTPError:
        return None
    return bool(answer.status_code == httpx2.codes.UNAUTHORIZED)


def no_server() -> NotRunning:
    """The error that no server runs."""
    return NotRunning("no server of yours runs", "start one with: claude-openai --background")


def unknown(run_id: str) -> ServerRefused:
    """The error that no run has an id with this beginning."""
    return ServerRefused(
        f"no run has an id that begins with {run_id}", "list them with: claude-openai runs", UNKNOWN_RUN
    )


def ambiguous(run_id: str, runs: Sequence[RunObject]) -> ServerRefused:
    """The error that several of `runs` have an id with this beginning; it lists some of them."""
    found = ([name for name in (run.id, run.answer_id, run.request_id) if name.startswith(run_id)] for run in runs)
    names = [matching[0] for matching in found if matching]
    length = max(digits(names), len(run_id) + 1)
    shown = [name[:length] for name in names[:MOST_CANDIDATES]]
    more = len(names) - len(shown)
    listed = ", ".join([*shown, *([f"{more} more"] if more else [])])
    return ServerRefused(f"several runs have an id that begins with {run_id}: {listed}", "give more of the id")


class _Fault(BaseModel):
    code: str | None = None
    message: str


class _Body(BaseModel):
    error: _Fault


class _Url(click.ParamType[str]):
    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.fail(f"{value!r} is not an address such as http://127.0.0.1:8000", param, ctx)
        return str(value).rstrip("/").removesuffix("/v1")


_SERVER_LOG: Final = "its log says why: claude-openai logs"
