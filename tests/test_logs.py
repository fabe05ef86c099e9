"""The log: what it looks like, what passes through it, and what never does."""

import json
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Any

import anyio
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from claude_openai import logs
from claude_openai.logs import HIDDEN

KEY = "open-sesame-1001"

SECRET_NAMES = (
    "authorization",
    "Proxy-Authorization",
    "api_key",
    "apiKey",
    "API KEY",
    "x-api-key",
    "ANTHROPIC_API_KEY",
    "token",
    "access_token",
    "sessionToken",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "cookie",
    "Set-Cookie",
    "password",
    "PASSWORD_FILE",
    "client-secret",
    "secrets",
    "AWS_SECRET_ACCESS_KEY",
)

COUNTS = {
    "prompt_tokens": 12,
    "completion_tokens": 3,
    "prompt_tokens_details": {"cached_tokens": 7},
    "max_tokens": 100,
    "first_token_ms": 8.5,
    "tokens": 15,
    "needs_key": True,
    "keys": 2,
}


@dataclass(frozen=True)
class Opaque:
    """What is no plain data shows in a log by its `repr`."""

    text: str


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Logging is one for the process, so a test gives it back."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning)
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], warnings.showwarning = before[0], before[2]
    root.setLevel(before[1])
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(*events: Callable[[], object], **options: Any) -> str:
    stream = StringIO()
    logs.configure(**{"level": "info", "json": True, "stream": stream, **options})
    for event in events:
        event()
    return stream.getvalue()


def entry(**fields: Any) -> dict[str, Any]:
    """The one event as a JSON log has it."""
    decoded: dict[str, Any] = json.loads(logged(lambda: logs.logger("claude_openai.test").info("test.event", **fields)))
    return decoded


def texts(value: object) -> Iterator[str]:
    """Every text within a decoded line, so that escapes cannot hide anything from a search."""
    match value:
        case dict():
            for name, item in value.items():
                yield name
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)
        case _:
            yield str(value)


# What it looks like.


@pytest.mark.proves("logs.events")
def test_an_event_is_one_line_of_json_with_its_fields() -> None:
    line = logged(lambda: logs.logger("claude_openai.http").info("http.request", status=200, path="/a\nb"))
    assert line.count("\n") == 1
    decoded = json.loads(line)
    assert list(decoded) == ["time", "level", "event", "status", "path"]
    assert decoded | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "http.request",
        "status": 200,
        "path": "/a\nb",
    }


@pytest.mark.proves("logs.events")
def test_on_a_terminal_an_event_is_a_line_of_columns() -> None:
    line = logged(lambda: logs.logger("claude_openai.http").info("http.request", status=200), json=False)
    assert line.split()[1:] == ["[info", "]", "http.request", "status=200"]


@pytest.mark.proves("logs.events")
def test_nothing_a_client_sent_begins_a_line_or_speaks_to_the_terminal() -> None:
    hostile = "x\n2026-01-01 [error] forged\x1b[2J\x9b"
    line = logged(lambda: logs.logger("claude_openai.http").info(hostile, path=hostile), json=False)
    assert line.count("\n") == 1
    assert line.rstrip("\n").isprintable()


@pytest.mark.proves("logs.events")
def test_numbers_that_json_has_no_word_for_are_text() -> None:
    assert entry(ratio=float("nan"), bound=float("inf"), share=0.5) | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "test.event",
        "ratio": "nan",
        "bound": "inf",
        "share": 0.5,
    }


@pytest.mark.proves("logs.events")
def test_details_are_logged_only_when_debugging() -> None:
    def details() -> None:
        logs.logger("claude_openai.http").debug("http.details")
        logging.getLogger("library").info("library details")

    assert logged(details) == ""
    assert logged(details, level="debug").count("\n") == 2


@pytest.mark.proves("start.exit-codes")
def test_an_unexpected_error_shows_where_it_came_from_only_when_debugging() -> None:
    assert logged(lambda: logs.crashed(LookupError("lost"))) == ""
    decoded = json.loads(logged(lambda: logs.crashed(LookupError("lost")), level="debug"))
    assert (decoded["event"], decoded["exception"]) == ("program.crashed", "LookupError: lost")


@pytest.mark.proves("logs.events")
def test_an_unexpected_error_before_logging_is_set_up_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.reset_defaults()
    logs.crashed(LookupError("lost"))
    assert capsys.readouterr() == ("", "")


@pytest.mark.proves("logs.events")
def test_a_value_that_contains_itself_is_cut_off() -> None:
    circle: list[object] = []
    circle.append(circle)
    assert logs.TOO_DEEP in json.dumps(entry(circle=circle))


@pytest.mark.proves("logs.request-id")
async def test_what_a_task_binds_is_in_its_events_and_in_no_others() -> None:
    log = logs.logger("claude_openai.http")

    async def request(name: str) -> None:
        with logs.bound(request_id=name):
            await anyio.lowlevel.checkpoint()
            log.info("http.request", name=name)
        log.info("http.after")

    stream = StringIO()
    logs.configure("info", json=True, stream=stream)
    async with anyio.create_task_group() as group:
        group.start_soon(request, "one")
        group.start_soon(request, "two")
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {(event["name"], event["request_id"]) for event in events if event["event"] == "http.request"} == {
        ("one", "one"),
        ("two", "two"),
    }
    assert all("request_id" not in event for event in events if event["event"] == "http.after")


@pytest.mark.proves("logs.libraries")
@pytest.mark.parametrize("library", ["uvicorn.error", "uvicorn.access", "claude_agent_sdk", "py.warnings"])
def test_what_a_library_logs_comes_out_the_same_way(library: str) -> None:
    logging.getLogger(library).addHandler(logging.NullHandler())
    decoded = json.loads(logged(lambda: logging.getLogger(library).warning("lost %s", "connection")))
    assert (decoded["level"], decoded["event"], decoded["logger"]) == ("warning", "lost connection", library)


@pytest.mark.proves("logs.libraries")
def test_a_python_warning_is_an_event_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        line = logged(lambda: warnings.warn("old ways", DeprecationWarning, stacklevel=1))
    assert "old ways" in json.loads(line)["event"]


@pytest.mark.proves("logs.events")
def test_nothing_is_written_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("debug", json=True)
    logs.logger("claude_openai.test").info("test.event")
    logging.getLogger("library").error("trouble")
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 2)


# What never shows.


def fail(message: str) -> None:
    raise LookupError(message)


PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10))
KNOWN_SECRETS = st.one_of(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=logs.SHORTEST_SECRET, max_size=30),
    st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=logs.SHORTEST_SECRET, max_size=30),
).filter(lambda secret: secret not in "claude_openai.test info test.event traceback")


def planted(secret: str) -> st.SearchStrategy[object]:
    """Values of any shape with the secret somewhere in them."""
    around = st.text(max_size=5)
    text = st.builds(lambda before, after: f"{before} {secret} {after}", around, around)
    leaves = st.one_of(
        text,
        text.map(str.encode),
        text.map(Opaque),
        text.map(ValueError),
        st.just({secret: 1}),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(st.one_of(PLAIN, inner), max_size=3).flatmap(lambda some: inner.map(lambda one: [*some, one])),
            st.tuples(PLAIN, inner),
            st.dictionaries(st.text(max_size=5), st.one_of(PLAIN, inner), max_size=3),
        ),
        max_leaves=6,
    )


@pytest.mark.proves("safety.logs")
@given(st.data(), KNOWN_SECRETS, st.booleans())
def test_a_known_secret_shows_in_no_line_whatever_it_is_part_of(
    data: st.DataObject, secret: str, as_json: bool
) -> None:
    value = data.draw(planted(secret))
    named_for_it = f"test {secret}"

    def events() -> None:
        log = logs.logger("claude_openai.test")
        log.info("test.event", value=value)
        log.info(named_for_it)
        logging.getLogger("library").error("value %s", value)
        try:
            fail(secret)
        except LookupError:
            log.exception("test.failed", **{"in": value})

    lines = logged(events, json=as_json, secrets=[secret])
    assert lines.count("test.failed") == 1
    assert secret not in lines
    if as_json:
        assert [text for line in lines.splitlines() for text in texts(json.loads(line)) if secret in text] == []


@pytest.mark.proves("safety.logs")
@given(
    st.sampled_from(SECRET_NAMES),
    st.recursive(
        st.sampled_from([KEY, KEY.encode(), Opaque(KEY)]),
        lambda inner: st.one_of(st.lists(inner, min_size=1), st.fixed_dictionaries({"value": inner})),
        max_leaves=3,
    ),
    st.integers(0, 3),
)
def test_what_is_named_a_secret_is_hidden_however_it_is_spelt_and_nested(name: str, value: object, depth: int) -> None:
    nested: object = {name: value}
    for _ in range(depth):
        nested = [{"headers": nested}]
    assert KEY not in json.dumps(entry(nested=nested))
    assert KEY not in json.dumps(entry(**{name: value}))


@pytest.mark.proves("safety.logs")
@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_header_pair_is_recognised_as_text_and_as_bytes(name: str) -> None:
    logged_headers = entry(headers=[(name, KEY), (name.encode(), KEY.encode()), ("accept", "*/*")])["headers"]
    assert logged_headers == [[name, HIDDEN], [name, HIDDEN], ["accept", "*/*"]]


@pytest.mark.proves("safety.logs")
def test_counts_of_tokens_stay_readable() -> None:
    fields = entry(**COUNTS)
    assert {name: fields[name] for name in COUNTS} == COUNTS


@pytest.mark.proves("safety.logs")
def test_a_list_of_parameter_names_stays_readable() -> None:
    assert entry(ignored=["max_tokens", "seed"])["ignored"] == ["max_tokens", "seed"]


@pytest.mark.proves("safety.logs")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sent Authorization: Bearer {KEY}", f"sent Authorization: {HIDDEN} {HIDDEN}"),
        (f"Bearer {KEY} was refused", f"Bearer {HIDDEN} was refused"),
        ("invalid x-api-key sk-ant-api03-abcdefgh", f"invalid x-api-key {HIDDEN}"),
        (f"proxy http://me:{KEY}@proxy.example.com:8080", f"proxy http://{HIDDEN}@proxy.example.com:8080"),
        (f"GET /v1/models?api_key={KEY}&limit=1", f"GET /v1/models?api_key={HIDDEN}&limit=1"),
        (f"{{'password': '{KEY}', 'user': 'me'}}", f"{{'password': {HIDDEN}, 'user': 'me'}}"),
        ("prompt_tokens: 12, use Bearer authentication", "prompt_tokens: 12, use Bearer authentication"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_within_a_text(text: str, shown: str) -> None:
    assert entry(text=text)["text"] == shown
    assert logs.redacted(text) == shown


@pytest.mark.proves("safety.logs")
def test_a_short_secret_is_hidden_where_it_stands_alone_and_leaves_other_texts_readable() -> None:
    line = logged(lambda: logs.logger("claude_openai.test").info("test.event", user="1", count="11"), secrets=["1"])
    assert json.loads(line) | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "test.event",
        "user": HIDDEN,
        "count": "11",
    }


@pytest.mark.proves("safety.logs")
def test_a_record_that_cannot_be_rendered_is_told_without_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(lambda: logging.getLogger("library").error("%d", KEY))
    assert json.loads(line) == {"level": "error", "event": "log.unprintable", "logger": "library"}
    assert KEY not in capsys.readouterr().err


@pytest.mark.proves("safety.logs")
def test_the_secrets_of_the_login_are_found_by_their_names() -> None:
    environ = {"ANTHROPIC_API_KEY": "a", "CLAUDE_CODE_OAUTH_TOKEN": "b", "AWS_SECRET_ACCESS_KEY": "c", "HOME": "/home"}
    assert logs.secrets_in(environ) == ["a", "b", "c"]


@pytest.mark.proves("safety.logs")
@pytest.mark.parametrize("piece", ["a", "-", "sk-", "://aaa", "bearer aaa ", "secret='", 'api_key="x', "x" * 70])
def test_a_text_of_a_clients_choosing_takes_no_long_time_and_no_long_line(piece: str) -> None:
    """A pattern that starts over at every character took minutes for this, and the test would not end."""
    text = logs.redacted(piece * 100_000)
    assert len(text) <= 2 * logs.LONGEST_TEXT
    assert text.endswith(logs.CUT)
