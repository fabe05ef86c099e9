"""Warnings and errors of the log as sentences for a person at a terminal, by the name of the event. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from claude_openai.text import one_line

_STAGES: Final = {
    "describe": "Claude Code does not start",
    "start": "Claude Code could not be started for a request",
    "introduction": "A Claude Code process that waited for a conversation did not take one; another is started",
    "answer": "Claude Code failed during an answer",
}
"""The stages of `sdk.error`."""

SENTENCES: Final[Mapping[str, str]] = {
    "settings.doubtful": "{reason}",
    "program.crashed": "The server ended on a defect of its own",
    "http.connections_full": "All {places} connections are in use: a new client replaces the one that is idle longest",
    "http.unreadable": "{reason}",
    "http.failed": "{message}",
    "http.fault": "A defect of this server ended a request",
    "session.end": "A session did not end as it should",
    "process.start_failed": "A Claude Code process for the next conversation did not start: {error}",
    "schema.unchecked": "The check of {tool} against its schema took too long; not checked: {without}",
    "schema.worker_failed": "The process that checks schemas failed: {error}",
    "simulator.ended": "The simulator ended with exit code {exit_code}: {stderr}",
    "sdk.error": "{stage}: {error}",
    "keys.unreadable": "The file of keys cannot be read, so its earlier keys stay valid: {reason}",
    "limits.unread": "What other servers have charged to a key could not be read: {reason}",
    "output.lost": "The output of Claude Code is not kept in {folder}: {error}",
    "store.error": "Runs cannot be stored: {reason}",
    "log.dropped": "{events} events of the log could not be written",
    "log.unprintable": "A message of the library {logger} could not be formatted",
}
"""Each event of level `warning` or `error`, with the fields it has. The docs' table of events has the same."""


_HIDDEN: Final = frozenset({"time", "level", "event", "request_id", "run_id", "exception", "logger"})
"""Fields that are shown elsewhere, or mean nothing to a person."""


def sentence(event: Mapping[str, Any]) -> str:
    """What `event` says, on one line without control characters; the last line of an exception is behind it."""
    fields = {name: one_line(str(value)) for name, value in event.items() if value is not None}
    if fields.get("stage") in _STAGES:
        fields["stage"] = _STAGES[fields["stage"]]
    if fields.get("event") == "schema.unchecked":
        fields.setdefault("tool", "an answer")
    name = fields.get("event", "")
    try:
        said = SENTENCES[name].format_map(fields)
    except KeyError:  # a library's, or that of another version in a file
        said = "  ".join([name, *(f"{each}: {text}" for each, text in fields.items() if each not in _HIDDEN)])
    if exception := str(event.get("exception") or "").strip():
        said += f": {one_line(exception.splitlines()[-1])} (--debug shows the traceback)"
    return said
