"""Messages into a conversation: native, in order, and nothing lost without a word."""

import json
import re
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_openai.core.failures import Failure, Kind
from claude_openai.core.fingerprint import fingerprint
from claude_openai.core.messages import AssistantMessage, SystemMessage, Text, ToolCall, ToolMessage, UserMessage
from claude_openai.protocols.common.conversation import CONTINUE
from tests.unit.protocols.chat_completions.asking import conversation, reading, refusal

LEGAL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
BLANKS = ["", " ", "\n\t", "\u3000", "\ufeff", [], [{"type": "text", "text": " "}]]


def system(content: object) -> object:
    return {"role": "system", "content": content}


def user(content: object) -> object:
    return {"role": "user", "content": content}


def assistant(content: object = None, *calls: object, **fields: object) -> object:
    return {"role": "assistant", "content": content, **({"tool_calls": calls} if calls else {}), **fields}


def call(call_id: str, arguments: str = "{}", name: str = "f") -> object:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def result(call_id: str, content: object = "done") -> object:
    return {"role": "tool", "tool_call_id": call_id, "content": content}


def parts(*texts: str) -> list[object]:
    return [{"type": "text", "text": text} for text in texts]


def said(*texts: str) -> UserMessage:
    return UserMessage(tuple(map(Text, texts)))


def called(*ids: str, text: str = "") -> AssistantMessage:
    return AssistantMessage(text, tuple(ToolCall(call_id, "f", "{}") for call_id in ids))


def done(call_id: str, *texts: str) -> ToolMessage:
    return ToolMessage(call_id, tuple(map(Text, texts or ("done",))))


class TestInstructions:
    @pytest.mark.proves("chat.messages.parts")
    def test_those_at_the_beginning_stay_each_its_own(self) -> None:
        developer = {"role": "developer", "content": parts("Be ", "kind.")}
        assert conversation(system("Be brief.\n"), developer, user("Hello")) == (
            SystemMessage("Be brief.\n"),
            SystemMessage("Be kind."),
            said("Hello"),
        )

    @pytest.mark.parametrize("blank", BLANKS)
    def test_blank_ones_are_left_out(self, blank: object) -> None:
        assert conversation(system(blank), user("Hello"), system(blank)) == (said("Hello"),)

    def test_later_ones_stay_at_their_place_as_marked_blocks_of_the_user(self) -> None:
        assert conversation(user("Hello"), assistant("Hi."), system("Be brief."), user("Why?")) == (
            said("Hello"),
            AssistantMessage("Hi."),
            said("<system>\nBe brief.\n</system>", "Why?"),
        )

    def test_behind_the_last_user_message_they_are_what_claude_reads_last(self) -> None:
        assert conversation(user("Hello"), system("Be brief.")) == (said("Hello", "<system>\nBe brief.\n</system>"),)
        assert conversation(user("Hello"), assistant("Hi."), system("Be brief."))[-1] == said(
            "<system>\nBe brief.\n</system>"
        )

    def test_alone_they_are_marked_blocks_of_the_user(self) -> None:
        alone = (said("<system>\nExtract it.\n</system>", "<system>\nAnn is 7.\n</system>"),)
        assert conversation(system("Extract it."), {"role": "developer", "content": "Ann is 7."}) == alone
        assert conversation(system("Extract it."), system("Ann is 7."), user(" ")) == alone
        assert reading(messages=[system("Extract it.")]).adjusted == ()

    def test_they_never_stand_between_a_call_and_its_result(self) -> None:
        assert conversation(user("Go"), assistant(None, call("a")), system("Be brief."), result("a")) == (
            said("Go"),
            called("a"),
            done("a"),
            said("<system>\nBe brief.\n</system>"),
        )


class TestUser:
    def test_messages_in_a_row_are_one_with_all_their_blocks(self) -> None:
        assert conversation(user("one"), user(parts("two", "three")), user("four")) == (
            said("one", "two", "three", "four"),
        )

    @pytest.mark.parametrize("blank", BLANKS)
    def test_a_blank_message_of_the_past_is_left_out(self, blank: object) -> None:
        assert conversation(user(blank), assistant("Hi."), user("Hello")) == (AssistantMessage("Hi."), said("Hello"))

    def test_blank_pieces_are_left_out_and_the_others_stay(self) -> None:
        assert conversation(user(parts("", "a ", "\n", "b"))) == (said("a ", "b"),)

    @pytest.mark.parametrize("blank", BLANKS)
    def test_a_blank_newest_message_is_left_out_where_there_is_something_else_to_answer(self, blank: object) -> None:
        assert conversation(user("Hello"), user(blank)) == (said("Hello"),)
        assert conversation(user("Go"), assistant(None, call("a")), result("a"), user(blank)) == (
            said("Go"),
            called("a"),
            done("a"),
        )

    @pytest.mark.parametrize("blank", BLANKS)
    def test_a_blank_message_alone_is_refused_by_its_place(self, blank: object) -> None:
        failure = refusal(messages=[system(blank), user(blank)])
        assert (failure.kind, failure.param) == (Kind.INVALID_REQUEST, "messages[1].content")


class TestAssistant:
    def test_messages_in_a_row_stay_each_its_own(self) -> None:
        assert conversation(user("Hello"), assistant("Hi."), assistant(parts("How ", "are you?")), user("Well")) == (
            said("Hello"),
            AssistantMessage("Hi."),
            AssistantMessage("How are you?"),
            said("Well"),
        )

    @pytest.mark.parametrize(
        "refusing",
        [
            assistant(None, refusal="I cannot."),
            assistant([{"type": "refusal", "refusal": "I cannot."}]),
            {"role": "assistant", "refusal": "I cannot.", "annotations": [], "reasoning_content": "Hm."},
        ],
    )
    def test_a_refusal_is_what_it_said(self, refusing: object) -> None:
        assert conversation(user("Do"), refusing, user("Why?"))[1] == AssistantMessage("I cannot.")

    def test_a_refusal_after_an_answer_is_a_paragraph_of_its_own(self) -> None:
        assert conversation(user("Do"), assistant("First,", refusal="no."), user("Why?"))[1] == AssistantMessage(
            "First,\n\nno."
        )

    @pytest.mark.parametrize("blank", [*BLANKS, None])
    def test_a_blank_message_is_left_out(self, blank: object) -> None:
        assert conversation(user("Hello"), assistant(blank)) == (said("Hello"),)
        assert conversation(user("Hello"), {"role": "assistant"}) == (said("Hello"),)

    @pytest.mark.parametrize("after", [[], [user("")]])
    def test_one_at_the_end_is_to_be_continued_which_is_reported(self, after: list[object]) -> None:
        asked = reading(messages=[user("Count to three"), assistant("1, 2,"), *after])
        assert asked.turn.messages == (
            said("Count to three"),
            AssistantMessage("1, 2,"),
            said(f"<system>\n{CONTINUE}\n</system>"),
        )
        assert asked.adjusted == ("messages=continued",)
        assert reading(messages=[assistant("Hi.")]).turn.messages[0] == AssistantMessage("Hi.")

    def test_a_conversation_without_any_words_is_refused(self) -> None:
        assert refusal(messages=[assistant("")]).param == "messages"

    @pytest.mark.proves("chat.messages.parts")
    def test_an_earlier_audio_answer_is_refused_by_its_place(self) -> None:
        failure = refusal(messages=[user("Sing"), assistant(None, audio={"id": "audio_1"}), user("Again")])
        assert (failure.kind, failure.param) == (Kind.UNSUPPORTED_PARAMETER, "messages[1].audio")


class TestCalls:
    def test_calls_and_results_are_native(self) -> None:
        arguments = '{"city":  "Rome", "days": 1.50}'
        assert conversation(
            user("Go"), assistant("Let me see.", call("a", arguments)), result("a", parts("x", "y"))
        ) == (
            said("Go"),
            AssistantMessage("Let me see.", (ToolCall("a", "f", arguments),)),
            done("a", "x", "y"),
        )

    @pytest.mark.parametrize("empty", ["", " \n", None, []])
    def test_an_empty_result_is_a_result(self, empty: object) -> None:
        assert conversation(user("Go"), assistant("", call("a")), result("a", empty))[-1] == ToolMessage("a", ())

    @pytest.mark.parametrize("empty", ["", " "])
    def test_no_arguments_are_an_empty_object(self, empty: str) -> None:
        assert conversation(user("Go"), assistant("", call("a", empty)), result("a"))[1] == called("a")

    def test_results_come_in_any_order_and_stand_behind_their_calls(self) -> None:
        messages = (user("Go"), assistant(None, call("a")), assistant(None, call("b"), call("c")))
        assert conversation(*messages, result("c"), result("a"), result("b"), user("Thanks")) == (
            said("Go"),
            called("a"),
            done("a"),
            called("b", "c"),
            done("c"),
            done("b"),
            said("Thanks"),
        )

    def test_a_foreign_id_is_mapped_for_the_call_and_its_result_alike(self) -> None:
        _, answer, outcome = conversation(user("Go"), assistant(None, call("functions.f:0")), result("functions.f:0"))
        assert isinstance(answer, AssistantMessage)
        assert isinstance(outcome, ToolMessage)
        assert answer.tool_calls[0].id == outcome.tool_call_id == "call_8bfccb448abc51623dcd9af4662943c8"

    def test_an_id_that_each_turn_uses_again_is_made_unique(self) -> None:
        once = (assistant(None, call("call_1")), result("call_1"))
        messages = conversation(user("Go"), *once, user("Again"), *once)
        ids = [message.tool_call_id for message in messages if isinstance(message, ToolMessage)]
        assert ids[0] == "call_1" != ids[1]
        assert messages[-2] == called(ids[1])

    def test_calls_of_the_time_before_ids_are_matched_by_name(self) -> None:
        legacy = {"role": "assistant", "function_call": {"name": "f", "arguments": "{}"}}
        assert conversation(user("Go"), legacy, {"role": "function", "name": "f", "content": "done"}) == (
            said("Go"),
            called("function_f"),
            done("function_f"),
        )

    @pytest.mark.proves("tools.results.missing")
    @pytest.mark.parametrize(
        ("messages", "path", "reason"),
        [
            (
                [user("Go"), result("a.1")],
                "messages[1].tool_call_id",
                "no assistant message before it has a call 'a.1' that lacks its result",
            ),
            (
                [user("Go"), assistant(None, call("a")), result("b")],
                "messages[2].tool_call_id",
                "no assistant message before it has a call 'b' that lacks its result",
            ),
            (
                [user("Go"), assistant(None, call("a")), result("a"), result("a")],
                "messages[3].tool_call_id",
                "no assistant message before it has a call 'a' that lacks its result",
            ),
            (
                [user("Go"), assistant(None, call("a.1"))],
                "messages[1].tool_calls[0].id",
                "the call 'a.1' has no result among the messages that follow",
            ),
            (
                [user("Go"), assistant(None, call("a"), call("b")), result("a"), user("Well?")],
                "messages[1].tool_calls[1].id",
                "the call 'b' has no result among the messages that follow",
            ),
            (
                [user("Go"), assistant(None, call("a"), call("a")), result("a")],
                "messages[1].tool_calls[1].id",
                "the call 'a' has no result among the messages that follow",
            ),
            (
                [user("Go"), assistant(None, call("a"), call("a")), result("a"), result("a"), result("a")],
                "messages[4].tool_call_id",
                "no assistant message before it has a call 'a' that lacks its result",
            ),
            (
                [user("Go"), assistant(None, call("a")), assistant(None, call("a")), result("a"), result("a")],
                "messages[2].tool_calls[0].id",
                "an earlier call 'a' still lacks its result",
            ),
            (
                [user("Go"), {"role": "function", "name": "f", "content": "a"}],
                "messages[1].name",
                "no assistant message before it has a call 'f' that lacks its result",
            ),
        ],
        ids=[
            "no call",
            "another call",
            "twice",
            "no result",
            "result after",
            "one of two",
            "three of two",
            "ambiguous",
            "no function call",
        ],
    )
    def test_a_call_or_a_result_without_the_other_is_named(
        self, messages: list[object], path: str, reason: str
    ) -> None:
        assert refusal(messages=messages) == Failure(Kind.INVALID_REQUEST, f"Invalid '{path}': {reason}.", path)

    @pytest.mark.proves("tools.results.ids")
    def test_calls_of_one_answer_with_the_same_id_get_their_results_in_order(self) -> None:
        first, second = call("a"), call("a")
        one, other = ({"role": "tool", "tool_call_id": "a", "content": text} for text in ("one", "two"))
        read = reading(messages=[user("Go"), assistant(None, first, second), one, other])
        _, answer, *results = read.turn.messages
        assert isinstance(answer, AssistantMessage)
        ids = [each.id for each in answer.tool_calls]
        assert len(set(ids)) == 2
        assert results == [ToolMessage(ids[0], (Text("one"),)), ToolMessage(ids[1], (Text("two"),))]
        assert read.adjusted == ("messages[].tool_calls[].id=unique",)

    @pytest.mark.proves("tools.results.missing")
    def test_an_endless_id_is_named_in_brief(self) -> None:
        assert len(refusal(messages=[user("Go"), result("a" * 1_000_000)]).message) < 300

    def test_a_megabyte_of_result_is_a_result(self) -> None:
        content = "ä" * 1_000_000
        assert conversation(user("Go"), assistant("", call("a")), result("a", content))[-1] == done("a", content)

    @pytest.mark.parametrize(
        "arguments",
        [
            "[]",
            "1",
            '{"city": "Par',
            '{"a": NaN}',
            '{"a":' * 300,
            '"{}"',
            "{}{}",
            '{"a": 1, "a": 2}',
            "\ud800",
            "Paris",
        ],
    )
    def test_arguments_that_are_no_object_are_kept_as_text_in_one_which_is_reported(self, arguments: str) -> None:
        read = reading(messages=[user("Go"), assistant(None, call("a", arguments)), result("a")])
        answer = read.turn.messages[1]
        assert isinstance(answer, AssistantMessage)
        kept = arguments.replace("\ud800", "\ufffd")
        assert json.loads(answer.tool_calls[0].arguments) == {"invalid_arguments": kept}
        assert read.adjusted == ("messages[].tool_calls[].function.arguments=object",)

    def test_a_call_of_a_custom_tool_is_a_call_which_is_reported(self) -> None:
        custom = {"id": "a", "type": "custom", "custom": {"name": "apply patch", "input": "*** Begin"}}
        read = reading(messages=[user("Go"), assistant(None, custom), result("a")])
        made = ToolCall("a", "apply_patch", '{"input": "*** Begin"}')
        assert read.turn.messages[1:] == (AssistantMessage("", (made,)), done("a"))
        assert read.adjusted == ("messages[].tool_calls[].custom=function",)

    def test_null_is_no_arguments(self) -> None:
        legacy = {"role": "assistant", "function_call": {"name": "f", "arguments": "null"}}
        read = reading(messages=[user("Go"), legacy, {"role": "function", "name": "f", "content": "done"}])
        assert read.turn.messages[1] == called("function_f")
        assert read.adjusted == ("messages[].function_call.arguments=object",)

    def test_a_conversation_with_such_arguments_is_the_same_when_it_grows(self) -> None:
        begun = [user("Go"), assistant(None, call("a", '{"city": "Par')), result("a")]
        grown = [*begun, assistant("Which city?"), user("Paris")]
        before, after = (fingerprint(reading(messages=messages).turn) for messages in (begun, grown))
        assert after.starts_with(before)

    @given(
        st.lists(st.lists(st.text() | st.just("call_1"), min_size=1, max_size=4, unique=True), max_size=4), st.data()
    )
    def test_every_result_stands_behind_its_call_under_an_id_of_its_own(
        self, turns: list[list[str]], data: st.DataObject
    ) -> None:
        messages = [user("Go")]
        for ids in turns:
            results = [result(call_id, f"result of {call_id!r}") for call_id in data.draw(st.permutations(ids))]
            messages += [assistant(None, *(call(call_id) for call_id in ids)), *results, user("Go on")]
        native = conversation(*messages)
        answers = [at for at, message in enumerate(native) if isinstance(message, AssistantMessage)]
        seen: list[str] = []
        for at, ids in zip(answers, turns, strict=True):
            answer = native[at]
            assert isinstance(answer, AssistantMessage)
            behind = [
                message
                for message in takewhile(lambda message: isinstance(message, ToolMessage), native[at + 1 :])
                if isinstance(message, ToolMessage)
            ]
            told = {message.tool_call_id: message.content for message in behind}
            assert [told[made.id] for made in answer.tool_calls] == [(Text(f"result of {one!r}"),) for one in ids]
            seen += [made.id for made in answer.tool_calls]
        assert all(LEGAL_ID.fullmatch(call_id) for call_id in seen)
        assert len(set(seen)) == len(seen)
