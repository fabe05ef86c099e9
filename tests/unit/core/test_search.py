"""The search language of runs: what a query means, and what is said about a wrong one."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import Query, matches, parse
from claude_openai.core.search.query import QUANTITIES, TEXT_FIELDS

NOW = datetime(2026, 11, 30, 14, 30, tzinfo=timezone(timedelta(hours=2)))

RUN = Run(
    id="1a2b3c4d" + "0" * 24,
    answer_id="chatcmpl-1a2b3c4d",
    request_id="req_77",
    principal="alice",
    client="OpenAI/Python 3.54.0",
    model="claude-sonnet-5",
    state=RunState.FAILED,
    arrived_at=NOW.timestamp() - 1800,
    began_at=NOW.timestamp() - 1799,
    first_token_at=NOW.timestamp() - 1797,
    ended_at=NOW.timestamp() - 1790,
    session_start="rebuilt",
    reason="tools",
    endpoint="chat",
    asked_model="claude-best",
    error_code="rate_limited",
    error="The limit is reached.",
    usage=Usage(100, 50, 100, 800, 10),
    cost_usd=0.25,
    text="Grüße aus München, caffè 東京タワー and http://example.com/a_b",
    calls=(ToolCall("call_1", "get_weather", '{"city": "Oslo"}'),),
)

MATCHING = [
    *("", "gruß", "münch", "MUNCHEN", '"aus münchen"', "京タ", "oslo", "get_weather", "limit", "a_b", "exa"),
    *("http://example.com", "1a2b3c4d", "chatcmpl-1a2b", "req_77", "run:req_7", "model:sonnet", "model:SONNET-5"),
    *("@openai", "@openai/python", "client:curl,openai", "key:alice", "state:failed", "state:cancelled,failed"),
    *(
        "way:rebuilt",
        "why:tools",
        "endpoint:chat",
        "model:best",
        "code:rate",
        "code:*",
        "error:rate_limit_exceeded",
        "tool:get_weather",
    ),
    *("cost:>0.1", "cost:>=$0.25", "cost:0.25", "cost:0.1..0.3", "cost:*..0.3", "tokens:>1k", "out:50", "cached:>=80%"),
    *(
        "duration:>9s",
        "duration:10s",
        "duration:<1m",
        "first:3s",
        "queue:>=1000ms",
        "since:1h",
        "-since:5m",
        "at:today",
    ),
    *("since:2026-11-30T14:00", "until:2026-11-30T14:01", "at:2026-11-30", "-state:completed", "-oslox", "is:cached"),
    *("profile:chat", "-finish:stop", 'client:"openai/python 3"', "grü sort:cost"),
]

OTHERS = [
    *("unche", '"aus munch"', '"münchen aus"', "-oslo", "run:2", "model:opus", "@python", "key:ali", "state:live"),
    *("way:warm", "code:over", "tool:get", "cost:>0.25", "cost:<0.25", "cost:0.3..*", "cached:>80%", "duration:>10s"),
    *("since:5m", "until:2026-11-30T14:00", "at:yesterday", "is:refused", "is:live", "profile:agent", "-code:*"),
]

CODES = {"rate_limited": "rate_limit_exceeded"}


def found(text: str) -> bool:
    query = parse(text, NOW, CODES)
    assert query.problems == (), text
    return matches(query, RUN)


@pytest.mark.proves("search.language")
def test_a_query_finds_what_it_means_and_nothing_else() -> None:
    assert [text for text in MATCHING if not found(text)] == []
    assert [text for text in OTHERS if found(text)] == []


@pytest.mark.proves("search.language")
def test_a_key_without_a_name_is_found_by_what_is_shown_of_it() -> None:
    run = replace(RUN, principal="key-" + "ab" * 32)
    assert matches(parse("key:key-abababab", NOW), run)


@pytest.mark.proves("search.language")
@pytest.mark.parametrize("name", [*TEXT_FIELDS, *QUANTITIES])
def test_the_example_of_each_field_is_a_query_that_a_run_without_the_value_does_not_match(name: str) -> None:
    example = (TEXT_FIELDS.get(name) or QUANTITIES[name]).example
    query = parse(example, NOW)
    assert query.problems == ()
    bare = Run("", "", "", "", "", "", RunState.QUEUED, arrived_at=0.0, profile="")
    assert not matches(query, bare)


@pytest.mark.proves("search.wrong")
def test_a_wrong_term_is_reported_with_its_place_and_the_rest_still_counts() -> None:
    wrong = "oslo durration:5s state:faild cost:>abc model: since:soon is:blue sort:size *** profile:x"
    query = parse(wrong, NOW)
    assert [(wrong[each.position :].split(" ", maxsplit=1)[0], each.message) for each in query.problems] == snapshot(
        [
            (
                "durration:5s",
                "`durration:` is no field. Did you mean `duration:`? In quotation marks it is text.",
            ),
            (
                "state:faild",
                (
                    "`state:` takes queued, running, parked, completed, failed, cancelled, not `faild`."
                    " You may mean `failed`."
                ),
            ),
            ("cost:>abc", "`cost:` needs a number such as `cost:>0.1`, not `abc`."),
            ("model:", "`model:` needs a value such as `model:sonnet`."),
            (
                "since:soon",
                "`since:` needs a time such as 15m, 1h, 7d, today, 2026-11-30 or 2026-11-30T14:00, not `soon`.",
            ),
            ("is:blue", "`is:` takes cached, live, refused, agent, not `blue`."),
            ("sort:size", "`sort:` takes new, old, cost, duration, tokens, first, not `size`."),
            ("***", "`***` has no letter or digit to search for."),
            ("profile:x", "`profile:` takes chat, agent, not `x`."),
        ]
    )
    assert matches(query, RUN)
    assert len(query.terms) == 1


@pytest.mark.proves("search.wrong")
def test_a_query_that_is_too_long_or_has_too_many_terms_says_so() -> None:
    (too_long,) = parse("x" * 1001, NOW).problems
    assert too_long.message == "A query has at most 1000 characters, and this one has 1001."
    many = parse("a " * 40, NOW)
    assert (len(many.terms), [each.message for each in many.problems]) == (32, ["A query has at most 32 terms."])


_pieces = st.sampled_from(
    [
        '"',
        "\\",
        ":",
        "-",
        "@",
        ",",
        "..",
        ">",
        "<=",
        "*",
        " ",
        "cost",
        "since",
        "state",
        "model",
        "1h",
        "9" * 30,
        "\ud800",
    ]
)


@pytest.mark.proves("search.wrong")
@settings(max_examples=300)
@given(text=st.lists(_pieces | st.text(max_size=4), max_size=12).map("".join))
def test_no_text_makes_the_parser_fail_and_its_problems_are_where_they_say(text: str) -> None:
    query = parse(text, NOW)
    assert isinstance(query, Query)
    matches(query, RUN)
    for problem in query.problems:
        assert 0 <= problem.position < len(text)
        assert problem.message
