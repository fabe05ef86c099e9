"""What the simulated model does when it is told: the meaning of each directive.

Directives apply in their order. Those up to the last tool call make the message that calls; those after it make the
message that follows the results. A message without content directives has its natural content.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from claude_openai.simulator.arguments import invalid_arguments
from claude_openai.simulator.directives import Directive, DirectiveError
from claude_openai.simulator.limits import limited
from claude_openai.simulator.natural import THOUGHT, asked_for, call, hints, natural_blocks
from claude_openai.simulator.recorded import JsonObject
from claude_openai.simulator.rules import in_words
from claude_openai.simulator.script import (
    CREDIT_BALANCE,
    FIRST_DELTA,
    PROMPT_TOO_LONG,
    USUAL_FAILURES,
    Answer,
    Block,
    Cut,
    Failure,
    Fault,
    Malformed,
    Refused,
    Reply,
    Stall,
    StreamError,
    Text,
    Thinking,
    ToolUse,
    split,
)
from claude_openai.simulator.situation import Situation, ToolResult
from claude_openai.simulator.usage import output_tokens

LINE = ("0123456789abcdef" * 4)[:-1] + "\n"
"""A line of 64 bytes and one token, so that a megabyte of them stays within the usual `max_tokens`."""

EMOJI = "👩\u200d👩\u200d👧\u200d👦 🏳️\u200d🌈 👍🏽 🇫🇷"
"""Signs of two to seven code points each."""

REFUSAL = "I cannot help with that."

MOST_TOKENS = 200_000
"""Of one answer: more than any model gives, and a megabyte of words."""

CONTENT = frozenset({"text", "tokens", "megabyte", "emoji", "empty"})
"""Directives that say what a message holds; without one it holds what it naturally would."""

FAULTS: Mapping[str, type[Fault]] = {"stall": Stall, "cut": Cut, "malformed": Malformed, "stream_error": StreamError}


def directed(told: Sequence[Directive], seen: Situation) -> Answer:
    last_call = max((number for number, one in enumerate(told, start=1) if _tool(one, seen)), default=0)
    calling, following = told[:last_call], told[last_call:]
    calls = _pending_calls(calling, seen)
    if not calls:
        return _message(following, {}, seen)
    if seen.results:
        return Reply(tuple(calls.values()))
    return _message(calling, calls, seen)


def _message(told: Sequence[Directive], calls: Mapping[int, ToolUse], seen: Situation) -> Answer:
    for directive in told:
        if (failure := _failure(directive)) is not None:
            return failure
    reply = Reply(tuple(_blocks(told, calls, seen)))
    for directive in told:
        reply = _bent(reply, directive)
    return reply


def _blocks(told: Sequence[Directive], calls: Mapping[int, ToolUse], seen: Situation) -> Iterator[Block]:
    """The content told, and the natural content where none is."""
    for index, directive in enumerate(told):
        yield from (calls[index],) if index in calls else _content(directive)
    names = {directive.name for directive in told}
    if "refusal" in names and not names & CONTENT:
        yield in_words(REFUSAL)
    elif not names & CONTENT and not calls:
        yield from natural_blocks(replace(seen, thinks=seen.thinks and "thinking" not in names))


def _content(directive: Directive) -> tuple[Block, ...]:
    match directive.name:
        case "text":
            return (Text.of(str(directive.value), *_pace(directive)),)
        case "tokens":
            return (_of_tokens(directive),)
        case "thinking":
            thought = THOUGHT if directive.value is True else str(directive.value)
            return (Thinking.of(thought, *_pace(directive)),)
        case "megabyte":
            return (Text.of(LINE * 16_384, pieces=256),)
        case "emoji":
            return (Text(tuple(EMOJI)),)
        case _:
            return ()


def _of_tokens(directive: Directive) -> Text:
    """So many words, each a token, and a delta of its own unless told otherwise."""
    count = int(directive.number("tokens", 1))
    if not 1 <= count <= MOST_TOKENS:
        raise DirectiveError(f"tokens is from 1 to {MOST_TOKENS}, not {count}")
    words = ("token", *(" token",) * (count - 1))
    pieces, delay = _pace(directive)
    return Text.of("".join(words), pieces, delay) if "pieces" in directive.options else Text(words, delay)


def _pace(directive: Directive) -> tuple[int, float]:
    return int(directive.number("pieces", 1)), directive.number("delay", 0)


def _bent(reply: Reply, directive: Directive) -> Reply:
    """The reply with what the directive does to it as a whole."""
    match directive.name:
        case "refusal":
            details = {"type": "refusal", "category": None, "explanation": "The simulator was told to refuse."}
            return replace(reply, stop_reason="refusal", stop_details=details)
        case "max_tokens":
            half = limited(reply, max(1, output_tokens(reply) // 2))
            return replace(half, stop_reason="max_tokens")
        case "slow":
            return replace(reply, first_byte_delay=directive.number("slow", 1))
        case "stall" | "cut" | "malformed" | "stream_error" as name:
            return replace(reply, fault=FAULTS[name](after_events=int(directive.number(name, FIRST_DELTA))))
        case _:
            return reply


def _failure(directive: Directive) -> Failure | Refused | None:
    if directive.name == "refused":
        return Refused()
    if directive.name != "error":
        return None
    failure = FAILURES.get(str(directive.value))
    if failure is None:
        raise DirectiveError(f"error={directive.value} is none of: {', '.join(FAILURES)}")
    if "retry_after" in directive.options:
        return replace(failure, headers={"retry-after": str(int(directive.number("retry_after", 1)))})
    return failure


FAILURES: Mapping[str, Failure] = {
    **{str(status): Failure.of(status) for status in USUAL_FAILURES},
    "prompt_too_long": PROMPT_TOO_LONG,
    "credit_balance": CREDIT_BALANCE,
}


def _pending_calls(told: Sequence[Directive], seen: Situation) -> dict[int, ToolUse]:
    """The calls told that have no answer yet, by the place of their directive; none from a message after the next."""
    results = list(seen.results)
    calls: dict[int, ToolUse] = {}
    for index, directive in enumerate(told):
        if calls and "next" in directive.options:
            break
        tool = _tool(directive, seen)
        pending = tool and seen.choice != "none" and _next_call(directive, tool, results, seen)
        if pending and (seen.parallel or not calls):
            calls[index] = pending
    return calls


def _next_call(directive: Directive, tool: str, results: list[ToolResult], seen: Situation) -> ToolUse | None:
    """The call to make now, seeing the tool's results; None if it was answered. Takes what it saw from `results`."""
    bad_calls = 1 if directive.name == "malformed_arguments" else int(directive.number("invalid", 0, alone=1))
    answers = [result for result in results if result.tool == tool]
    failures = sum(1 for _ in takewhile(lambda answer: answer.failed, answers[:bad_calls]))
    for answer in answers[: failures + 1]:
        results.remove(answer)
    if len(answers) > failures:
        return None
    return _bad_call(directive, tool, seen) if failures < bad_calls else _good_call(directive, tool, seen, bad_calls)


def _bad_call(directive: Directive, tool: str, seen: Situation) -> ToolUse:
    if directive.name == "malformed_arguments":
        whole = call(seen, tool).text
        return ToolUse(tool, raw=split(whole[: 1 + len(whole) // 2], 2))
    given = _input(directive)
    return ToolUse(tool, invalid_arguments(seen.schema(tool), hints(seen)) if given is None else given)


def _good_call(directive: Directive, tool: str, seen: Situation, bad_calls: int) -> ToolUse:
    """With the input told, unless that was told to be the bad one."""
    given = None if bad_calls else _input(directive)
    return call(seen, tool) if given is None else ToolUse(tool, given)


def _input(directive: Directive) -> JsonObject | None:
    given = directive.options.get("input")
    if given is None or isinstance(given, dict):
        return given
    raise DirectiveError(f"input of {directive.value} is no JSON object: {given}")


def _tool(directive: Directive, seen: Situation) -> str | None:
    """The tool that a directive calls, by the name under which it is offered."""
    match directive:
        case Directive(name="tool" | "malformed_arguments", value=str(name)):
            return seen.offered(name)
        case Directive(name="malformed_arguments"):
            return next(iter((*asked_for(seen), *seen.tools)), None)
        case Directive(name="tool"):
            raise DirectiveError("tool needs a name: tool=get_weather")
        case _:
            return None
