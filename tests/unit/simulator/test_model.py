"""What the simulated model answers by itself: natural rules, tools, limits, and directives."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.simulator import (
    CREDIT_BALANCE,
    PROMPT_TOO_LONG,
    Answer,
    Cut,
    Failure,
    Fault,
    JsonObject,
    Malformed,
    Refused,
    Reply,
    Stall,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    simulated_model,
)
from claude_openai.simulator.arguments import accepts
from claude_openai.simulator.natural import MOST_DELTAS, text_in_words
from claude_openai.simulator.script import USUAL_FAILURES
from claude_openai.simulator.situation import OUTPUT_ACCEPTED
from claude_openai.simulator.usage import count, output_tokens
from tests.unit.simulator.api import TIME, WEATHER, asking, recorded, said

PARIS = {"city": "Paris", "unit": "celsius"}
STRUCTURED: JsonObject = {
    "name": "StructuredOutput",
    "input_schema": {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"]},
}


def answer(body: JsonObject) -> Answer:
    return simulated_model(recorded(body))


def reply(body: JsonObject) -> Reply:
    answered = answer(body)
    assert isinstance(answered, Reply), answered
    return answered


def text(body: JsonObject) -> str:
    return "".join(block.text for block in reply(body).blocks if isinstance(block, Text))


def calls(body: JsonObject) -> list[ToolUse]:
    return [block for block in reply(body).blocks if isinstance(block, ToolUse)]


def with_results(body: JsonObject, *results: str, failed: bool = False) -> JsonObject:
    """The follow-up of a request whose answer called tools: the calls, and their results."""
    uses = [
        {"type": "tool_use", "id": f"toolu_{len(body['messages'])}_{index}", "name": use.name, "input": dict(use.input)}
        for index, use in enumerate(calls(body))
    ]
    answered = [
        {"type": "tool_result", "tool_use_id": use["id"], "content": result, "is_error": failed}
        for use, result in zip(uses, results, strict=True)
    ]
    turn = [{"role": "assistant", "content": uses}, {"role": "user", "content": answered}]
    return body | {"messages": [*body["messages"], *turn]}


@pytest.mark.proves("simulator.rules")
class TestWords:
    @pytest.mark.parametrize(
        ("prompt", "expected"),
        [
            ("Say hello wide world", "hello wide world"),
            ("please say: Hi!", "Hi!"),
            ("Count to 4", "1, 2, 3, 4"),
            ("Count from 1 to 3, slowly", "1, 2, 3"),
            ("What  is\nthis?", 'Hello! You said "What is this?", and I am only a simulated model.'),
            ("x" * 61, f'Hello! You said "{"x" * 60}...", and I am only a simulated model.'),
        ],
    )
    def test_a_prompt_chooses_the_words(self, prompt: str, expected: str) -> None:
        assert text(asking(prompt)) == expected

    def test_the_newest_words_of_the_user_count(self) -> None:
        history = ({"role": "user", "content": "Say one"}, {"role": "assistant", "content": "one"})
        note = {"type": "text", "text": "<system-reminder>Say three</system-reminder>"}
        newest = {"role": "user", "content": [note, {"type": "text", "text": "Say two"}]}
        assert text(said(*history, newest, {"role": "system", "content": "Say four"})) == "two"

    def test_what_was_attached_is_mentioned(self) -> None:
        blocks = [{"type": "image"}, {"type": "image"}, {"type": "document"}, {"type": "text", "text": "What?"}]
        assert "I was shown 2 images and 1 document." in text(said({"role": "user", "content": blocks}))
        assert "I was shown 1 image." in text(said({"role": "user", "content": blocks[:1]}))

    @pytest.mark.parametrize(
        "system",
        [
            "End every answer with BANANA.",
            'Be brief. end every answer with "BANANA". Be kind.',
            "End every answer with BANANA",
        ],
    )
    def test_a_system_prompt_can_add_an_ending(self, system: str) -> None:
        assert text(asking("Say hello", system=system)) == "hello BANANA"
        assert (
            text(said({"role": "user", "content": "Say hello"}, {"role": "system", "content": system}))
            == "hello BANANA"
        )

    def test_words_come_one_by_one(self) -> None:
        assert [block.deltas for block in reply(asking("Count to 3")).blocks if isinstance(block, Text)] == [
            ("1,", " 2,", " 3")
        ]

    @given(words=st.text())
    def test_words_join_to_the_text(self, words: str) -> None:
        assert text_in_words(words).text == words

    def test_many_words_come_together(self) -> None:
        assert 1 < len(text_in_words("word " * 10_000).deltas) <= MOST_DELTAS


@pytest.mark.proves("simulator.directives", "simulator.rules")
class TestLimits:
    def test_a_stop_sequence_ends_the_text_before_itself(self) -> None:
        stopped = reply(asking("Count to 9", stop_sequences=["7", ", 4", "never"]))
        assert (stopped.stop_reason, stopped.stop_sequence) == ("stop_sequence", ", 4")
        assert text(asking("Count to 9", stop_sequences=[", 4"])) == "1, 2, 3"

    def test_a_stop_sequence_may_lie_across_deltas(self) -> None:
        assert text(asking('[[sim text="one two" pieces=7]]', stop_sequences=["e t"])) == "on"

    def test_max_tokens_ends_the_text_after_whole_tokens(self) -> None:
        limited = reply(asking("Count to 9", max_tokens=5))
        assert (limited.stop_reason, output_tokens(limited)) == ("max_tokens", 5)
        assert text(asking("Count to 9", max_tokens=5)) == "1, 2, 3"

    def test_what_fits_is_not_cut(self) -> None:
        assert reply(asking("Count to 3", max_tokens=5)).stop_reason is None

    def test_thinking_and_calls_are_cut_too(self) -> None:
        thought = reply(asking('[[sim thinking="one two three"]] Say four', max_tokens=2))
        assert [block.text for block in thought.blocks] == ["one two"]
        call = reply(asking('[[sim tool=a input={"b":1}]]', max_tokens=3))
        assert [block.text for block in call.blocks] == ['{"']

    @given(tokens=st.integers(1, 60))
    def test_no_reply_is_longer_than_max_tokens(self, tokens: int) -> None:
        body = asking('[[sim thinking]] [[sim text="It is"]] [[sim tool=get_time]]', max_tokens=tokens, tools=[TIME])
        whole = output_tokens(reply(body | {"max_tokens": 1000}))
        assert output_tokens(reply(body)) <= tokens
        assert (reply(body).stop_reason == "max_tokens") == (tokens < whole)

    def test_the_directive_cuts_what_it_has_to_say_in_half(self) -> None:
        half = reply(asking("[[sim max_tokens]] Say one two three four"))
        assert (half.stop_reason, [block.text for block in half.blocks]) == ("max_tokens", ["one two"])


@pytest.mark.proves("simulator.rules")
class TestTools:
    @pytest.mark.parametrize(
        ("prompt", "expected"),
        [
            ("Use get_weather for the city of Paris", ["get_weather"]),
            ("What is the weather in Paris?", ["get_weather"]),
            ("Call get_time and get_weather for Paris", ["get_time", "get_weather"]),
            ("Use mail", ["mail"]),
            ("Read this and write a mail", []),
            ("Use Write to answer", ["Write"]),
            ("Say get_weather", []),
            ("Hello", []),
        ],
    )
    def test_a_prompt_that_asks_for_tools_calls_them(self, prompt: str, expected: list[str]) -> None:
        tools = [WEATHER, TIME, {"name": "mail"}, {"name": "Write"}, {"name": "SendMessage"}]
        assert [call.name for call in calls(asking(prompt, tools=tools))] == expected

    def test_a_tool_of_a_server_is_asked_for_by_its_own_name(self) -> None:
        served = WEATHER | {"name": "mcp__client__get_weather"}
        for prompt in ("Use get_weather", "The weather?", "[[sim tool=get_weather]]"):
            assert [call.name for call in calls(asking(prompt, tools=[served]))] == ["mcp__client__get_weather"]

    def test_arguments_come_from_the_prompt_and_the_schema(self) -> None:
        (call,) = calls(asking("What is the weather in Paris?", tools=[WEATHER]))
        assert call.input == PARIS

    def test_results_are_quoted_and_nothing_is_called_again(self) -> None:
        asked = asking("Use get_time and get_weather for Paris", tools=[WEATHER, TIME])
        answered = with_results(asked, "noon", "18 degrees")
        assert calls(answered) == []
        assert text(answered) == "get_time answered: noon get_weather answered: 18 degrees"

    def test_a_failed_tool_is_reported(self) -> None:
        answered = with_results(asking("Use get_time", tools=[TIME]), "no clock", failed=True)
        assert text(answered) == "get_time failed: no clock"

    def test_words_that_claude_code_adds_to_results_are_no_instruction(self) -> None:
        answered = with_results(asking("Use get_time", tools=[TIME]), "noon")
        resumed = {"type": "text", "text": "Continue from where you left off."}
        answered["messages"][-1]["content"].append(resumed)
        assert text(answered) == "get_time answered: noon"

    def test_an_instruction_beside_results_is_obeyed(self) -> None:
        answered = with_results(asking("Use get_time", tools=[TIME]), "noon")
        answered["messages"][-1]["content"].append({"type": "text", "text": "Say thanks"})
        assert text(answered) == "thanks"

    def test_a_new_question_calls_again(self) -> None:
        answered = with_results(asking("Use get_time", tools=[TIME]), "noon")
        again = [{"role": "assistant", "content": "Noon."}, {"role": "user", "content": "Use get_time again"}]
        assert len(calls(answered | {"messages": [*answered["messages"], *again]})) == 1

    @pytest.mark.parametrize(
        ("choice", "expected"),
        [
            ({"type": "any"}, ["get_weather"]),
            ({"type": "tool", "name": "get_time"}, ["get_time"]),
            ({"type": "auto"}, []),
            ({"type": "none"}, []),
        ],
    )
    def test_a_tool_choice_is_obeyed(self, choice: JsonObject, expected: list[str]) -> None:
        body = asking("Say hello", tools=[WEATHER, TIME], tool_choice=choice)
        assert [call.name for call in calls(body)] == expected

    def test_a_choice_of_none_forbids_even_what_is_told(self) -> None:
        for prompt in ("Use get_time", "[[sim tool=get_time]]"):
            assert calls(asking(prompt, tools=[TIME], tool_choice={"type": "none"})) == []

    @pytest.mark.parametrize(
        "prompt", ["Use get_time and get_weather", "[[sim tool=get_time]][[sim tool=get_weather]]"]
    )
    def test_calls_come_one_by_one_where_parallel_ones_are_off(self, prompt: str) -> None:
        choice = {"type": "auto", "disable_parallel_tool_use": True}
        first = asking(prompt, tools=[WEATHER, TIME], tool_choice=choice)
        second = with_results(first, "noon")
        assert [[call.name for call in calls(body)] for body in (first, second, with_results(second, "warm"))] == [
            ["get_time"],
            ["get_weather"],
            [],
        ]

    def test_calls_told_are_made_in_one_message_between_their_words(self) -> None:
        prompt = (
            '[[sim thinking="Hm."]] [[sim text="Let me look."]] [[sim tool=get_time input={"city": "Oslo"}]]'
            ' [[sim tool=get_weather]] [[sim text="Done."]] In Paris'
        )
        asked = asking(prompt, tools=[WEATHER, TIME])
        assert reply(asked).blocks == (
            Thinking.of("Hm."),
            Text.of("Let me look."),
            ToolUse("get_time", {"city": "Oslo"}),
            ToolUse("get_weather", PARIS),
        )
        assert reply(with_results(asked, "noon", "warm")) == Reply.of("Done.")

    def test_a_call_told_for_the_next_message_waits_for_the_results_of_the_ones_before(self) -> None:
        first = asking(
            "[[sim tool=get_time]] [[sim tool=get_weather next]] [[sim tool=get_time next]]", tools=[TIME, WEATHER]
        )
        second = with_results(first, "noon")
        third = with_results(second, "warm")
        messages = (first, second, third, with_results(third, "one"))
        assert [[call.name for call in calls(body)] for body in messages] == [
            ["get_time"],
            ["get_weather"],
            ["get_time"],
            [],
        ]

    def test_a_tool_that_is_not_offered_can_be_called_too(self) -> None:
        assert calls(asking("[[sim tool=missing]]")) == [ToolUse("missing", {})]

    def test_a_tool_told_by_its_older_name_is_called_by_the_offered_one_and_once(self) -> None:
        first = asking("[[sim tool=Task]]", tools=[{**TIME, "name": "Agent"}])
        assert [call.name for call in calls(first)] == ["Agent"]
        assert calls(with_results(first, "done")) == []


class TestInvalidArguments:
    def test_arguments_are_invalid_as_often_as_told_and_then_valid(self) -> None:
        first = asking("[[sim tool=get_weather invalid=2]]", tools=[WEATHER])
        second = with_results(first, "Input validation error", failed=True)
        third = with_results(second, "Input validation error", failed=True)
        schema = WEATHER["input_schema"]
        assert [accepts(schema, call.input) for body in (first, second, third) for call in calls(body)] == [
            False,
            False,
            True,
        ]
        assert text(with_results(third, "18 degrees")) == "get_weather answered: 18 degrees"

    def test_the_input_told_is_the_invalid_one(self) -> None:
        first = asking('[[sim tool=get_weather invalid input={"city": 7}]]', tools=[WEATHER])
        (bad,), (good,) = calls(first), calls(with_results(first, "no", failed=True))
        assert (bad.input, accepts(WEATHER["input_schema"], good.input)) == ({"city": 7}, True)

    @pytest.mark.parametrize("prompt", ["[[sim malformed_arguments=get_time]]", "[[sim malformed_arguments]] get_time"])
    def test_malformed_arguments_are_no_json_the_first_time(self, prompt: str) -> None:
        first = asking(prompt, tools=[WEATHER, TIME])
        (bad,), (good,) = calls(first), calls(with_results(first, "no JSON", failed=True))
        assert (bad.name, good.name) == ("get_time", "get_time")
        with pytest.raises(json.JSONDecodeError):
            json.loads(bad.text)
        assert json.loads(good.text) == {"city": "example city"}


class TestStructuredOutput:
    def test_structured_output_is_given_where_it_is_offered(self) -> None:
        asked = asking("Say forty-two: 42", tools=[STRUCTURED])
        assert calls(asked) == [ToolUse("StructuredOutput", {"answer": 42})]
        assert calls(with_results(asked, OUTPUT_ACCEPTED)) == []

    def test_it_is_given_to_the_next_words_which_stand_beside_claude_codes_own(self) -> None:
        body = with_results(asking("Say forty-two: 42", tools=[STRUCTURED]), OUTPUT_ACCEPTED)
        body["messages"][-1]["content"].append({"type": "text", "text": "And now 43"})
        assert calls(body) == [ToolUse("StructuredOutput", {"answer": 43})]
        reminded = {"role": "user", "content": "[structured-output-enforce] You MUST call the tool"}
        body["messages"] += [{"role": "assistant", "content": "43"}, reminded]
        assert calls(body) == [ToolUse("StructuredOutput", {"answer": 43})]

    def test_it_is_given_again_after_an_error(self) -> None:
        asked = asking("[[sim tool=StructuredOutput invalid=1]]", tools=[STRUCTURED])
        again = with_results(asked, "Output does not match", failed=True)
        assert [accepts(STRUCTURED["input_schema"], call.input) for call in (*calls(asked), *calls(again))] == [
            False,
            True,
        ]

    def test_it_comes_after_the_other_tools(self) -> None:
        asked = asking("The weather?", tools=[STRUCTURED, WEATHER])
        assert [call.name for body in (asked, with_results(asked, "warm")) for call in calls(body)] == [
            "get_weather",
            "StructuredOutput",
        ]


@pytest.mark.proves("simulator.directives")
class TestThinking:
    @pytest.mark.parametrize(
        ("thinking", "thinks"),
        [
            ({"type": "enabled", "budget_tokens": 1024}, True),
            ({"type": "adaptive", "display": "summarized"}, True),
            ({"type": "adaptive", "display": "updates"}, False),
            ({"type": "enabled", "budget_tokens": 1024, "display": "omitted"}, False),
            ({"type": "disabled"}, False),
        ],
    )
    def test_it_thinks_where_that_is_asked_for_and_shown(self, thinking: JsonObject, thinks: bool) -> None:
        kinds = [type(block) for block in reply(asking("Say hello", thinking=thinking)).blocks]
        assert kinds == ([Thinking, Text] if thinks else [Text])

    def test_it_thinks_what_it_is_told(self) -> None:
        told = reply(asking('[[sim thinking="one two" pieces=2]] Say hello', thinking={"type": "enabled"}))
        assert told.blocks == (Thinking(("one", " two")), Text(("hello",)))


@pytest.mark.proves("simulator.rules")
class TestDirectives:
    def test_a_text_is_said_in_pieces(self) -> None:
        assert reply(asking('[[sim text="abcd" pieces=2 delay=0.2]]')) == Reply.of("abcd", 2, 0.2)

    @pytest.mark.proves("simulator.directives")
    def test_a_refusal_says_so(self) -> None:
        refused = reply(asking("[[sim refusal]]"))
        assert (refused.stop_reason, text(asking("[[sim refusal]]"))) == ("refusal", "I cannot help with that.")
        assert refused.stop_details is not None
        assert text(asking("[[sim refusal]] [[sim text=No.]]")) == "No."

    @pytest.mark.proves("simulator.directives")
    def test_an_empty_answer_has_no_block(self) -> None:
        assert reply(asking("[[sim empty]]")) == Reply()

    @pytest.mark.proves("simulator.directives")
    def test_a_megabyte_is_a_megabyte(self) -> None:
        big = reply(asking("[[sim megabyte]]", max_tokens=32_000))
        assert (len(text(asking("[[sim megabyte]]", max_tokens=32_000))), big.stop_reason) == (1024 * 1024, None)

    @pytest.mark.proves("simulator.directives")
    def test_so_many_tokens_are_that_many_each_in_a_delta_of_its_own(self) -> None:
        (block,) = reply(asking("[[sim tokens=500 delay=0.5]]", max_tokens=1000)).blocks
        assert isinstance(block, Text)
        assert (len(block.deltas), block.delay, count(block.text)) == (500, 0.5, 500)
        (block,) = reply(asking("[[sim tokens=500 pieces=7]]", max_tokens=1000)).blocks
        assert (len(block.deltas), count(block.text)) == (7, 500)

    @pytest.mark.proves("simulator.directives")
    def test_no_more_tokens_come_than_the_request_allows(self) -> None:
        answer = reply(asking("[[sim tokens=500]]", max_tokens=20))
        assert (output_tokens(answer), answer.reason) == (20, "max_tokens")

    @pytest.mark.proves("simulator.directives")
    def test_an_emoji_is_split_between_its_code_points(self) -> None:
        (block,) = reply(asking("[[sim emoji]]")).blocks
        assert all(len(delta) == 1 for delta in block.deltas if isinstance(delta, str))
        assert "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{WOMAN}" in block.text

    @pytest.mark.proves("simulator.directives")
    @pytest.mark.parametrize("status", USUAL_FAILURES)
    def test_an_error_fails_with_its_status(self, status: int) -> None:
        assert answer(asking(f"[[sim error={status}]]")) == Failure.of(status)

    @pytest.mark.proves("simulator.directives")
    def test_errors_with_a_name_have_their_own_words(self) -> None:
        assert answer(asking("[[sim error=prompt_too_long]]")) == PROMPT_TOO_LONG
        assert answer(asking("[[sim error=credit_balance]]")) == CREDIT_BALANCE
        assert answer(asking("[[sim error=429 retry_after=9]]")) == Failure.of(429, retry_after=9)

    @pytest.mark.proves("simulator.directives")
    def test_a_connection_is_refused(self) -> None:
        assert answer(asking("[[sim refused]]")) == Refused()

    @pytest.mark.proves("simulator.directives")
    def test_a_first_byte_is_held_back(self) -> None:
        assert reply(asking("[[sim slow=3.5]] Say hello")) == Reply((Text(("hello",)),), first_byte_delay=3.5)

    @pytest.mark.proves("simulator.directives")
    @pytest.mark.parametrize(
        ("bracket", "fault"),
        [
            ("[[sim stall]]", Stall()),
            ("[[sim cut=7]]", Cut(7)),
            ("[[sim malformed]]", Malformed()),
            ("[[sim stream_error=5]]", StreamError(5)),
        ],
    )
    def test_a_stream_is_broken(self, bracket: str, fault: Fault) -> None:
        assert reply(asking(f"{bracket} Say hello")) == Reply((Text(("hello",)),), fault=fault)

    @pytest.mark.proves("simulator.directives")
    def test_what_follows_the_calls_happens_after_their_results(self) -> None:
        asked = asking("[[sim tool=get_time]] [[sim error=529]]", tools=[TIME])
        assert len(calls(asked)) == 1
        assert answer(with_results(asked, "noon")) == Failure.of(529)

    @pytest.mark.parametrize("bracket", ["[[sim what]]", "[[sim error=418]]", "[[sim tool=a input=7]]", "[[sim tool]]"])
    def test_a_bracket_that_means_nothing_is_a_400(self, bracket: str) -> None:
        failure = answer(asking(bracket, tools=[TIME]))
        assert isinstance(failure, Failure)
        assert failure.status == 400
