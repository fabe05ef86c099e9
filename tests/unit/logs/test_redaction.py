"""What is logged never shows a secret, whatever it is part of."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai import logs
from claude_openai.logs import HIDDEN
from tests.log_reading import entry, given_back, logged, texts

KEY = "open-sesame-1001"

NO_KEY = (
    "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth "
    "(i.e. Authorization: Bearer YOUR_KEY), or in an x-api-key header."
)

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


@pytest.fixture(autouse=True, scope="module")
def logging_as_it_was() -> Iterator[None]:
    yield from given_back()


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


def spellings(words: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A name in any case, its words joined in any way."""
    cases = st.sampled_from([str.lower, str.upper, str.title])
    joints = st.sampled_from(["", "-", "_", " ", "."])
    return st.builds(lambda case, joint: joint.join(map(case, words)), cases, joints)


WORDS = (
    ("authorization",),
    ("proxy", "authorization"),
    ("api", "key"),
    ("x", "api", "key"),
    ("access", "token"),
    ("token",),
    ("cookie",),
    ("set", "cookie"),
    ("password",),
    ("client", "secret"),
)
NAMES = st.sampled_from(WORDS).flatmap(spellings)
ANY_SECRET = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), min_size=1, max_size=20).map(
    lambda some: f"planted{some}planted"
)
BARE_SECRET = st.text("abcXYZ0189._~+-/", max_size=20).map(lambda some: f"planted{some}planted")


def inside(value: object, ways: list[str]) -> object:
    """`value` deeper down, as text where `ways` say so: JSON strings in JSON strings, lists, objects."""
    for way in ways:
        match way:
            case "text":
                value = json.dumps(value)
            case "list":
                value = [1, value, None]
            case _:
                value = {"content": value, "role": "user"}
    return value


WAYS = st.lists(st.sampled_from(["text", "list", "object"]), max_size=6)


def carriers(name: str) -> st.SearchStrategy[object]:
    """What carries a secret by that name: a field, a header in any form, a URL, JSON in a text."""
    address = st.builds(
        lambda secret: f"see https://example.com/a?limit=1&{quote(name)}={quote(secret)}&x=2#top", ANY_SECRET
    )
    login = st.builds(lambda secret: f"https://me:{quote(secret, safe='')}@example.com/{name}", ANY_SECRET)
    return st.one_of(
        st.builds(lambda secret: {name: secret}, ANY_SECRET),
        st.builds(lambda secret: {name: [secret, {"more": secret}]}, ANY_SECRET),
        st.builds(lambda secret: [[name, secret], ["accept", "*/*"]], ANY_SECRET),
        st.builds(lambda secret: {"name": name, "value": secret}, ANY_SECRET),
        st.builds(lambda secret: f"{name}: {secret}", BARE_SECRET),
        st.builds(lambda secret: f"{name}={secret}", BARE_SECRET),
        st.builds(lambda secret: f"before {json.dumps({name: secret})} after", ANY_SECRET),
        st.builds(lambda secret: f"before {json.dumps(json.dumps({name: secret}))} after", BARE_SECRET),
        st.builds(lambda secret: f"before { {name: secret} } and {[(name, secret)]!r}", BARE_SECRET),
        address,
        login,
    )


def is_told(line: str) -> bool:
    """Whether something of what was planted can be read in it."""
    return any("planted" in text for text in texts(json.loads(line)))


@settings(max_examples=300)
@given(NAMES.flatmap(carriers), WAYS, st.sampled_from(["trace", "debug", "info"]))
def test_no_planted_secret_shows_in_any_event_at_any_level(carrier: object, ways: list[str], level: str) -> None:
    value = inside(carrier, ways)

    def tell() -> None:
        log = logs.logger("claude_openai.test")
        getattr(log, level)("test.event", message=value)

    line = logged(tell, level=level)
    assert line.count("\n") == 1
    assert not is_told(line)


@given(st.sampled_from(WORDS).flatmap(spellings), BARE_SECRET)
def test_a_library_may_log_what_it_likes(name: str, secret: str) -> None:
    told = {name: secret}
    line = logged(lambda: logging.getLogger("library").error("%s failed with %r, %s", "it", told, f"{name}={secret}"))
    assert "planted" not in line


@given(st.integers(1, 2100))
def test_a_secret_at_the_place_where_a_text_is_cut_is_not_told_by_half(back: int) -> None:
    text = "x " * (logs.LONGEST_TEXT // 2)
    line = logged(
        lambda: logs.logger("claude_openai.test").info("test.event", text=text[:-back] + "planted-secret-" * 40),
        secrets=["planted-secret-" * 40],
    )
    assert "planted" not in line


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_a_header_pair_is_recognised_as_text_and_as_bytes(name: str) -> None:
    logged_headers = entry(headers=[(name, KEY), (name.encode(), KEY.encode()), ("accept", "*/*")])["headers"]
    assert logged_headers == [[name, HIDDEN], [name, HIDDEN], ["accept", "*/*"]]


def test_counts_of_tokens_stay_readable() -> None:
    fields = entry(**COUNTS)
    assert {name: fields[name] for name in COUNTS} == COUNTS


def test_a_list_of_parameter_names_stays_readable() -> None:
    assert entry(ignored=["max_tokens", "seed"])["ignored"] == ["max_tokens", "seed"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"sent Authorization: Bearer {KEY}", f"sent Authorization: {HIDDEN}"),
        (f"Bearer {KEY} was refused", f"Bearer {HIDDEN} was refused"),
        ("invalid x-api-key sk-ant-api03-abcdefgh", f"invalid x-api-key {HIDDEN}"),
        (f"proxy http://me:{KEY}@proxy.example.com:8080", f"proxy http://{HIDDEN}@proxy.example.com:8080"),
        (f"GET /v1/models?api_key={KEY}&limit=1", f"GET /v1/models?api_key={HIDDEN}&limit=1"),
        (f"{{'password': '{KEY}', 'user': 'me'}}", f"{{'password': {HIDDEN}, 'user': 'me'}}"),
        (f'{{"apiKey": ["{KEY}", "x]{KEY}"], "n": 1}} and more', f'{{"apiKey": {HIDDEN}, "n": 1}} and more'),
        (f"password = [['{KEY}'], {{'a': '{KEY}'}}] ok", f"password = {HIDDEN} ok"),
        (f'it said \\"api_key\\": [\\"{KEY}\\"] there', f'it said \\"api_key\\": {HIDDEN} there'),
        (f"api_key: [{KEY} without an end", f"api_key: {HIDDEN}"),
        (f'so {{"name": "Cookie", "value": "{KEY}"}} it is', f'so {{"name": "Cookie", "value": {HIDDEN}}} it is'),
        ("prompt_tokens: 12, use Bearer authentication", "prompt_tokens: 12, use Bearer authentication"),
        (
            "Invalid 'max_tokens': expected a value of at least 1.",
            "Invalid 'max_tokens': expected a value of at least 1.",
        ),
        ("Invalid 'maxThinkingTokens': expected a number", "Invalid 'maxThinkingTokens': expected a number"),
        (f"max_tokens: password: {KEY}", f"max_tokens: password: {HIDDEN}"),
        (f"max_tokens: expected, access_tokens: {KEY}", f"max_tokens: expected, access_tokens: {HIDDEN}"),
        ("access_tokens: opensesame", f"access_tokens: {HIDDEN}"),
        ("max_tokens: open1sesame", f"max_tokens: {HIDDEN}"),
        (NO_KEY, NO_KEY),
        ("Authorization: Bearer YOUR_KEY1", f"Authorization: {HIDDEN}"),
        ("so: Authorization: Bearer your_key", f"so: Authorization: {HIDDEN}"),
        (f"(Authorization: Bearer MY_API_KEY) token={KEY}", f"(Authorization: Bearer MY_API_KEY) token={HIDDEN}"),
        ("a Bearer token. Basic understanding", "a Bearer token. Basic understanding"),
        ("Bearer opensesameplease was refused", f"Bearer {HIDDEN} was refused"),
        ("bearer  sesame", f"bearer  {HIDDEN}"),
        ("a\\nBearer\topensesame", f"a\\nBearer\t{HIDDEN}"),
        ("q=Bearer%20opensesame&x=Bearer+authentications", f"q=Bearer%20{HIDDEN}&x=Bearer+{HIDDEN}"),
        ("Basic dXNlcjpwYXNz", f"Basic {HIDDEN}"),  # user:pass, without a digit or a sign
        ("x-api-key: opensesame", f"x-api-key: {HIDDEN}"),
        ("GET /v1beta/models?key=opensesame&alt=sse", f"GET /v1beta/models?key={HIDDEN}&alt=sse"),
        ("https://a.example/b?sv=1&sig=open%2Fsesame#top", f"https://a.example/b?sv=1&sig={HIDDEN}#top"),
        ("to https://a.example/#auth=opensesame.", f"to https://a.example/#auth={HIDDEN}"),
        ("a key=value pair, and keys=1", "a key=value pair, and keys=1"),
        (f"Authorization: Token {KEY}", f"Authorization: {HIDDEN}"),
        (f"curl -H 'Authorization: ApiKey {KEY}' x", f"curl -H 'Authorization: {HIDDEN}"),
        (f"with Token {KEY} or ApiKey {KEY}", f"with Token {HIDDEN} or ApiKey {HIDDEN}"),
        ("the token limitations of ApiKey authentication", "the token limitations of ApiKey authentication"),
        ("curl -u me:sesame https://a.example", f"curl -u {HIDDEN} https://a.example"),
        ("curl -s --user 'me:open sesame' a", f"curl -s --user {HIDDEN} a"),
        ("cd x && curl -ume:sesame --proxy-user=me:b a", f"cd x && curl -u{HIDDEN} --proxy-user={HIDDEN} a"),
        ('curl -b "session=sesame; a=b" a', f"curl -b {HIDDEN} a"),
        ("curl --cookie session=sesame a", f"curl --cookie {HIDDEN} a"),
        ("id -u me; docker run -u 1000:1000 a", "id -u me; docker run -u 1000:1000 a"),
        ("do --api-key sesame --verbose", f"do --api-key {HIDDEN} --verbose"),
        ("do --password 'open sesame' -v", f"do --password {HIDDEN} -v"),
        ("do --password=sesame --auth-token sesame", f"do --password={HIDDEN} --auth-token {HIDDEN}"),
        ("do --password --max-tokens 500", "do --password --max-tokens 500"),
        (f"git clone https://me:{KEY}@host/x.git", f"git clone https://{HIDDEN}@host/x.git"),
        (f"https://{KEY}@host", f"https://{HIDDEN}@host"),
        (
            '["curl", "-u", "me:sesame", "--password", "sesame"]',
            f'["curl", "-u", "{HIDDEN}", "--password", "{HIDDEN}"]',
        ),
    ],
)
def test_what_looks_like_a_secret_is_hidden_within_a_text(text: str, shown: str) -> None:
    assert entry(text=text)["text"] == shown
    assert logs.redacted(text) == shown


def test_a_short_secret_is_hidden_where_it_stands_alone_and_leaves_other_texts_readable() -> None:
    line = logged(lambda: logs.logger("claude_openai.test").info("test.event", user="1", count="11"), secrets=["1"])
    assert json.loads(line) | {"time": None} == {
        "time": None,
        "level": "info",
        "event": "test.event",
        "user": HIDDEN,
        "count": "11",
    }


def test_a_record_that_cannot_be_rendered_is_told_without_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(lambda: logging.getLogger("library").error("%d", KEY))
    assert json.loads(line) == {"level": "error", "event": "log.unprintable", "logger": "library"}
    assert KEY not in capsys.readouterr().err


def test_the_secrets_of_the_login_are_found_by_their_names() -> None:
    environ = {"ANTHROPIC_API_KEY": "a", "CLAUDE_CODE_OAUTH_TOKEN": "b", "AWS_SECRET_ACCESS_KEY": "c", "HOME": "/home"}
    assert logs.secrets_in(environ) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "-",
        "sk-",
        "://aaa",
        "bearer aaa ",
        "secret='",
        'api_key="x',
        "api_key: [",
        "secret={'",
        "x" * 70,
        "bearer ",
        "bearer+",
        "basic a",
        "?key=",
        "--token ",
        "--token '",
        "token a",
        "token 1",
        "curl ",
        "curl -u '",
        "curl -u a",
        "-u",
    ],
)
def test_a_text_of_a_clients_choosing_takes_no_long_time_and_no_long_line(piece: str) -> None:
    """A pattern that starts over at every character took minutes for this, and the test would not end."""
    text = logs.redacted(piece * 100_000)
    assert len(text) <= 2 * logs.LONGEST_TEXT
    assert text.endswith(logs.CUT)
