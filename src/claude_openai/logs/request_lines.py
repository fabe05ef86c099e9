"""Renders the log for a person at a terminal: one line for each request, and a second one with the reason of a failure.

The renderer collects the events of one request, by its `request_id`, and renders them with the last one,
`http.request`. Of the other events it renders warnings, errors and the stop of the server. Where the width of the
terminal is known, a line of a request is no wider: the least important columns are left out.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import IntEnum
from textwrap import fill
from typing import Any, Final

import click

from claude_openai.logs.rendering import Event
from claude_openai.logs.sentences import sentence
from claude_openai.text import COMMANDS_CLIENT, client_name, columns_of, cost, count, duration, one_line, shortened

MOST_OPEN: Final = 1000
"""Requests whose events are kept; above that the oldest are dropped, whose last event may be lost."""

_PARTS: Final = frozenset(
    {"run.end", "conversation.turn", "http.failed", "http.not_as_asked", "openai.effective_request"}
)
"""The events with details of a request, rendered as part of its line."""

_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500

_MODELS_FAULTS: Final = {
    "invalid_tool_arguments": "the model's call did not fit the tool's schema",
    "invalid_structured_output": "the model's answer did not fit the schema of the request",
}
"""The reasons of failures whose message would quote the model, and is not logged."""

_TROUBLES: Final = frozenset({"warning", "error", "critical"})

REASONS: Final = {
    "model": "model changed",
    "profile": "profile changed",
    "format": "format changed",
    "instructions": "system prompt changed",
    "tools": "tools changed",
    "history": "history changed",
    "unknown": "new here",
    "busy": "its process is busy",
    "mixed": "results and a message",
    "expired": "expired",
    "evicted": "evicted",
    "died": "its process ended",
    "worn": "its process was due",
    "left": "its client left",
    "cancelled": "was cancelled",
    "failed": "turn failed",
    "cut": "answer was cut",
    "further": "one of several answers",
    "unable": "could not go on",
    "stopped": "server stopped",
}
"""Why a conversation was rebuilt (`reason` of `conversation.turn`), in words."""

WIDE: Final = 140
"""Columns of a terminal that has room for the long forms. Below it columns are narrower."""

_LONGEST_PATH: Final = 40
"""Columns of an address in a terminal's line."""

_INDENT: Final = " " * 10
"""Before the reason of a failure, which stands under what was asked."""

_STATUS_WORDS: Final = {200: "ok", 201: "ok", 204: "ok"}


class _Rank(IntEnum):
    """How important a column is; where a line is too wide, the columns of the highest rank are left out first."""

    ALWAYS = 0
    MODEL = 1
    WAY = 2
    TOKENS = 3
    CLIENT = 4
    COST = 5
    FIRST_TOKEN = 6
    CACHED = 7
    WAY_REASON = 8
    CHANGED = 9


@dataclass(frozen=True, slots=True)
class _Cell:
    """A part of a line; `gap` stands before it, `columns` is the least width of its column."""

    text: str
    rank: _Rank = _Rank.ALWAYS
    columns: int = 0
    gap: str = "  "
    colour: str | None = None
    dim: bool = False


class RequestLines:
    """A renderer of events. It has state, so each log has its own.

    `width` returns the columns of the terminal, asked for each line since a window may be resized; None is no limit.
    `whole_reasons`: the reason of a failure may be wider. `worded` makes commands in a sentence those that the reader
    can type. `zone` is the time zone; None is the machine's.
    """

    def __init__(
        self,
        *,
        colours: bool,
        zone: tzinfo | None = None,
        width: Callable[[], int | None] = lambda: None,
        whole_reasons: bool = False,
        worded: Callable[[str], str] = str,
    ) -> None:
        self._colours = colours
        self._zone = zone
        self._width = width
        self._whole_reasons = whole_reasons
        self._worded = worded
        self._open: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._outage: str | None = None
        self._stopping = False

    def __call__(self, event: Event) -> str | None:
        """The lines for `event`, without a line break at the end; None if it is not shown."""
        name, request_id = event.get("event"), event.get("request_id")
        is_trouble = event.get("level") in _TROUBLES
        if isinstance(request_id, str) and name != "http.request" and (name in _PARTS or is_trouble):
            known = self._open.setdefault(request_id, {"answers": [], "troubles": []})
            if name == "run.end":  # one for each of several answers
                known["answers"].append(event)
            if name in _PARTS:
                known.update({name: value for name, value in event.items() if value is not None})
            else:
                known["troubles"].append(sentence(event))
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return None
        if name == "http.request":
            known = self._open.pop(str(request_id), {})
            return self._request({**known, **event})
        if is_trouble:
            level = str(event["level"])
            head = self._styled(level, fg="yellow" if level == "warning" else "red")
            text = self._worded(sentence(event))
            if width := self._width():
                first = max(width - len(f"{_INDENT}{level}  "), 20)
                text = fill(text, first, break_on_hyphens=False).replace("\n", f"\n{_INDENT}")
            return f"{self._styled(self._time(event), dim=True)}  {head}  {text}"
        if name == "server.stopping":
            how, self._stopping = "stopping at once" if self._stopping else "stopping", True
            return f"{self._styled(self._time(event), dim=True)}  {how} ({_text(event.get('signal'))})"
        if name == "server.draining" and event["running"]:
            requests = "request" if event["running"] == 1 else "requests"
            left = f"{count(event['running'])} running {requests}, for at most {duration(event['seconds'])}"
            time = self._styled(self._time(event), dim=True)
            return f"{time}  waiting for {left}; a second Ctrl-C ends them"
        return None

    def _request(self, request: Mapping[str, Any]) -> str | None:
        if str(request.get("client")).startswith(COMMANDS_CLIENT):
            return None
        status = request.get("status")
        if str(request.get("path")).startswith(("/ui/", "/ui?")) and not request.get("endpoint") and status:
            return None  # what a person looks at, many times a minute
        failed = (
            status is None or status >= _FIRST_ERROR or not request.get("complete", True) or bool(request.get("error"))
        )
        if request.get("path") == "/health":  # programs poll it: a line for each change of state
            before, self._outage = self._outage, str(request.get("message") or status) if failed else None
            if before == self._outage:
                return None
        width = self._width()
        line = self._joined(tuple(self._cells(request, narrow=width is not None and width < WIDE)), width)
        failure = self._worded(_text(_reason(request))) if failed else ""
        reason = "; ".join(_text(each) for each in (failure, *request.get("troubles", ())) if each)
        if width is not None and not self._whole_reasons:
            room = width - len(_INDENT)
            reason = shortened(failure if failure and columns_of(reason) > room else reason, room)
        if reason:
            line += f"\n{_INDENT}{self._styled(reason, fg='yellow')}"
        return line

    def _cells(self, request: Mapping[str, Any], *, narrow: bool) -> Iterator[_Cell]:
        asked, client = _asked(request), _client(request)
        model = _text(request.get("model") or "-")
        if narrow:
            asked, model = shortened(asked, _LONGEST_PATH), model.removeprefix("claude-")
        yield _Cell(self._time(request), gap="", dim=True)
        yield _Cell(asked, columns=11 if narrow else 17)
        yield _Cell(model, _Rank.MODEL, columns=10 if narrow else 18)
        yield _Cell(client, _Rank.CLIENT, columns=13 if narrow else 15)
        yield _status(request)
        yield from _figures(request)

    def _joined(self, cells: tuple[_Cell, ...], width: int | None) -> str:
        """The line of `cells`; of those that do not fit in `width` the least important are left out."""
        for most in sorted(_Rank, reverse=True):
            kept = [cell for cell in cells if cell.rank <= most]
            plain = "".join(f"{cell.gap}{_padded(cell)}" for cell in kept).rstrip()
            if width is None or columns_of(plain) <= width:
                styled = (f"{cell.gap}{self._styled(_padded(cell), fg=cell.colour, dim=cell.dim)}" for cell in kept)
                return "".join(styled).rstrip()
        return shortened(plain, width or 0)

    def _time(self, event: Event) -> str:
        try:
            return f"{datetime.fromisoformat(str(event.get('time'))).astimezone(self._zone):%H:%M:%S}"
        except (ValueError, OverflowError):
            return "--:--:--"

    def _styled(self, text: str, *, fg: str | None = None, dim: bool = False) -> str:
        return click.style(text, fg=fg, dim=dim or None) if self._colours and (fg or dim) else text


def _padded(cell: _Cell) -> str:
    return cell.text + " " * (cell.columns - columns_of(cell.text))


def _reason(request: Mapping[str, Any]) -> str:
    """Why a request failed, with the remedy; empty where that is not known."""
    if message := request.get("message"):
        return str(message)
    if fault := _MODELS_FAULTS.get(str(request.get("error") or request.get("kind"))):
        return f"{fault}, see: claude-openai tail {request.get('run_id') or 'RUN'}"
    parameter = request.get("param")
    return f"parameter: {parameter}" if parameter else ""


def _status(request: Mapping[str, Any]) -> _Cell:
    """The status with a word for it, in colour. A response that broke off has the status 200, too."""
    status, code = request.get("status"), request.get("error") or request.get("kind")
    if status is None or not request.get("complete", True):
        return _Cell("client left", colour="yellow")
    word = _text(code) if code else _STATUS_WORDS.get(status, "")
    if status >= _FIRST_SERVER_ERROR or (code and status < _FIRST_ERROR):
        colour = "red"
    else:
        colour = "yellow" if status >= _FIRST_ERROR else "green"
    return _Cell(f"{status} {word}".rstrip(), colour=colour)


def _asked(request: Mapping[str, Any]) -> str:
    """The kind of request: `chat stream`, `responses agent`, `GET /v1/models`."""
    if not (endpoint := request.get("endpoint")):
        return f"{_text(request.get('method'))} {_text(request.get('path'))}"
    words = [
        _text(endpoint),
        "agent" if request.get("profile") not in {None, "chat"} else "",
        "stream" if request.get("stream") else "",
    ]
    return " ".join(word for word in words if word)


def _client(request: Mapping[str, Any]) -> str:
    """The program's name of the User-Agent, without version and comments; the number of a client's retry."""
    name, retry = client_name(_text(request.get("client") or "")), request.get("retry")
    return f"{name} (retry {retry})" if retry else name


def _figures(request: Mapping[str, Any]) -> Iterator[_Cell]:
    """Duration, first token, tokens, cost, and how the request reached Claude Code."""
    yield _Cell(duration(request.get("duration_ms", 0) / 1000))
    if (first := request.get("first_token_ms")) is not None:
        yield _Cell(f"(first {duration(first / 1000)})", _Rank.FIRST_TOKEN, gap=" ")
    answers = request.get("answers", [])
    if usages := [answer["usage"] for answer in answers if answer.get("usage")]:
        cached = usages[0].get("cache_read_tokens", 0)
        prompt = usages[0].get("input_tokens", 0) + usages[0].get("cache_creation_tokens", 0) + cached
        yield _Cell(f"{count(prompt)} in", _Rank.TOKENS)
        if cached:
            yield _Cell(f"({count(cached)} cached)", _Rank.CACHED, gap=" ")
        yield _Cell(f"{count(sum(usage.get('output_tokens', 0) for usage in usages))} out", _Rank.TOKENS, gap=", ")
    if dollars := sum(answer.get("cost_usd") or 0 for answer in answers):
        yield _Cell(cost(dollars), _Rank.COST)
    if way := request.get("way"):
        yield _Cell(_text(way), _Rank.WAY)
        if reason := request.get("reason"):
            yield _Cell(REASONS.get(str(reason), _text(reason)), _Rank.WAY_REASON, gap=": ")
    if changed := [*request.get("ignored", ()), *request.get("adjusted", ())]:
        yield _Cell(f"not as asked: {_text(', '.join(str(name) for name in changed))}", _Rank.CHANGED)


def _text(value: object) -> str:
    return one_line(str(value))
