"""Renders the log for a person at a terminal: one line for each request, and a second one with the reason of a failure.

The renderer collects the events of one request, by its `request_id`, and renders them with the last one,
`http.request`. Of the other events it renders warnings, errors and the stop of the server.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final

import click

from claude_openai.logs.rendering import Event
from claude_openai.text import cost, count, duration, one_line

MOST_OPEN: Final = 1000
"""Requests whose events are kept; above that the oldest are dropped, whose last event may be lost."""

_PARTS: Final = frozenset(
    {"run.end", "conversation.turn", "http.failed", "http.not_as_asked", "openai.effective_request"}
)
"""The events with details of a request, rendered as part of its line."""

_ENDPOINTS: Final = {"/v1/chat/completions": "chat", "/v1/responses": "responses", "/v1/completions": "completion"}

_FIRST_ERROR: Final = 400
_FIRST_SERVER_ERROR: Final = 500

_MODELS_FAULTS: Final = {
    "invalid_tool_arguments": "the model's call did not fit the tool's schema",
    "invalid_structured_output": "the model's answer did not fit the schema of the request",
}
"""The reasons of failures whose message would quote the model, and is not logged."""

_STATUS_WORDS: Final = {200: "ok", 201: "ok", 204: "ok"}


class RequestLines:
    """A renderer of events. It has state, so each log has its own. `zone` is the time zone; None is the machine's."""

    def __init__(self, *, colours: bool, zone: tzinfo | None = None) -> None:
        self._colours = colours
        self._zone = zone
        self._open: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._outage: str | None = None

    def __call__(self, event: Event) -> str | None:
        """The lines for `event`, without a line break at the end; None if it is not shown."""
        name, request_id = event.get("event"), event.get("request_id")
        if isinstance(request_id, str) and name in _PARTS:
            known = self._open.setdefault(request_id, {"answers": []})
            if name == "run.end":  # one for each of several answers
                known["answers"].append(event)
            known.update({name: value for name, value in event.items() if value is not None})
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return None
        if name == "http.request":
            known = self._open.pop(str(request_id), {})
            return self._request({**known, **event})
        if event.get("level") in {"warning", "error", "critical"}:
            return self._trouble(event)
        if name == "server.stopping":
            return f"{self._time(event)}  stopping ({_text(event.get('signal'))})"
        if name == "server.draining" and event["running"]:
            requests = "request" if event["running"] == 1 else "requests"
            left = f"{count(event['running'])} running {requests}, for at most {duration(event['seconds'])}"
            return f"{self._time(event)}  waiting for {left}; a second Ctrl-C ends them"
        return None

    def _request(self, request: Mapping[str, Any]) -> str | None:
        status = request.get("status")
        failed = (
            status is None or status >= _FIRST_ERROR or not request.get("complete", True) or bool(request.get("error"))
        )
        if request.get("path") == "/health":  # programs poll it: a line for each change of state
            before, self._outage = self._outage, str(request.get("message") or status) if failed else None
            if before == self._outage:
                return None
        columns = [
            self._time(request),
            f"{_asked(request):<17}",
            f"{_text(request.get('model') or '-'):<18}",
            f"{_client(request):<15}",
            self._status(request),
            *_figures(request),
        ]
        line = "  ".join(columns).rstrip()
        parameter = request.get("param")
        reason = request.get("message") or (f"parameter: {parameter}" if parameter else "")
        if not reason and (fault := _MODELS_FAULTS.get(str(request.get("error") or request.get("kind")))):
            reason = f"{fault}, see: claude-openai tail {request.get('run_id') or 'RUN'}"
        if failed and reason:
            reason = _text(reason)
            line += f"\n{'':>8}  {self._styled(reason, fg='yellow')}"
        return line

    def _status(self, request: Mapping[str, Any]) -> str:
        """The status with a word for it, in colour. A response that broke off has the status 200, too."""
        status, code = request.get("status"), request.get("error") or request.get("kind")
        if status is None or not request.get("complete", True):
            return self._styled("client left", fg="yellow")
        word = _text(code) if code else _STATUS_WORDS.get(status, "")
        if status >= _FIRST_SERVER_ERROR or (code and status < _FIRST_ERROR):
            colour = "red"
        else:
            colour = "yellow" if status >= _FIRST_ERROR else "green"
        return self._styled(f"{status} {word}".rstrip(), fg=colour)

    def _trouble(self, event: Event) -> str:
        """The line of a warning or an error that is not part of a request's line."""
        level = str(event["level"])
        hidden = {"time", "level", "event", "request_id", "run_id", "exception", "logger"}
        fields = [
            f"{_text(name)}: {_text(value)}"
            for name, value in event.items()
            if name not in hidden and value is not None
        ]
        if exception := event.get("exception"):
            fields.append(f"{_text(str(exception).strip().splitlines()[-1])} (--debug shows the traceback)")
        head = self._styled(f"{level}", fg="yellow" if level == "warning" else "red")
        return "  ".join([self._time(event), head, _text(event.get("event")), *fields])

    def _time(self, event: Event) -> str:
        try:
            moment = f"{datetime.fromisoformat(str(event.get('time'))).astimezone(self._zone):%H:%M:%S}"
        except (ValueError, OverflowError):
            moment = "--:--:--"
        return self._styled(moment, dim=True)

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._colours else text


def _asked(request: Mapping[str, Any]) -> str:
    """The kind of request: `chat stream`, `responses agent`, `GET /v1/models`."""
    method, path = _text(request.get("method")), _text(request.get("path"))
    endpoint = _ENDPOINTS.get(path) if method == "POST" else None
    if endpoint is None:
        return f"{method} {path}"
    words = [
        endpoint,
        "agent" if request.get("profile") not in {None, "chat"} else "",
        "stream" if request.get("stream") else "",
    ]
    return " ".join(word for word in words if word)


def _client(request: Mapping[str, Any]) -> str:
    """The program's name of the User-Agent, without version and comments; the number of a client's retry."""
    agent = _text(request.get("client") or "-")
    product = "browser" if agent.startswith("Mozilla/") else re.split(r"[ (]|/v?[0-9]", agent, maxsplit=1)[0]
    retry = request.get("retry")
    return f"{product[:24]} (retry {retry})" if retry else product[:24]


def _figures(request: Mapping[str, Any]) -> Iterator[str]:
    """Duration, first token, tokens, cost, and how the request reached Claude Code."""
    took = duration(request.get("duration_ms", 0) / 1000)
    first = request.get("first_token_ms")
    yield took if first is None else f"{took} (first {duration(first / 1000)})"
    answers = request.get("answers", [])
    if usages := [answer["usage"] for answer in answers if answer.get("usage")]:
        cached = usages[0].get("cache_read_tokens", 0)
        prompt = usages[0].get("input_tokens", 0) + usages[0].get("cache_creation_tokens", 0) + cached
        noted = f" ({count(cached)} cached)" if cached else ""
        yield f"{count(prompt)} in{noted}, {count(sum(usage.get('output_tokens', 0) for usage in usages))} out"
    if dollars := sum(answer.get("cost_usd") or 0 for answer in answers):
        yield cost(dollars)
    if way := request.get("way"):
        reason = request.get("reason")
        yield f"{_text(way)}: {_text(reason)}" if reason else _text(way)
    if changed := [*request.get("ignored", ()), *request.get("adjusted", ())]:
        yield f"not as asked: {_text(', '.join(str(name) for name in changed))}"


def _text(value: object) -> str:
    return one_line(str(value))
