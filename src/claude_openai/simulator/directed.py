"""Follows the directives of a prompt: the meaning of each one.

Directives apply in their order. Those up to the last tool call describe the message with the call; those after it
describe the message that follows the results. A message without content directives has its natural content.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import takewhile

from claude_openai.simulator.arguments import invalid_arguments
from claude_openai.simulator.directives import Directive, DirectiveError
from claude_openai.simulator.limits import cut_at_max_tokens
from claude_openai.simulator.natural import THOUGHT, asked_for, call, hints, natural_blocks, text_in_words
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
"""Characters of two to seven code points each."""

REFUSAL = "I cannot help with that."

MOST_TOKENS = 200_000
"""The most tokens of one answer: more than any model writes, and a megabyte of words."""

CONTENT = frozenset({"text", "tokens", "megabyte", "emoji", "empty"})
"""Directives that set a message's content; without one it has its natural content."""

FAULTS: Mapping[str, type[Fault]] = {"stall": Stall, "cut": Cut, "malformed": Malformed, "stream_error": StreamError}


def follow_directives(given: Sequence[Directive], seen: Situation) -> Answer:
    """The answer that the directives describe."""
    last_call = max((number for number, one in enumerate(given, start=1) if _tool(one, seen)), default=0)
    calling, following = given[:last_call], given[last_call:]
    results = list(seen.results)
    calls: dict[int, ToolUse] = {}
    for index, directive in enumerate(calling):
        if calls and "next" in directive.options:
            break
        tool = _tool(directive, seen)
        pending = tool and seen.choice != "none" and _next_call(directive, tool, results, seen)
        if pending and (seen.parallel or not calls):
            calls[index] = pending
    if not calls:
        return _message(following, {}, seen)
    if seen.results:
        return Reply(tuple(calls.values()))
    return _message(calling, calls, seen)


def _message(given: Sequence[Directive], calls: Mapping[int, ToolUse], seen: Situation) -> Answer:
    """A failure if a directive asks for one; else a reply with the content of the directives, or natural content."""
    for directive in given:
        if (failure := _failure(directive)) is not None:
            return failure
    blocks: list[Block] = []
    for index, directive in enumerate(given):
        blocks += (calls[index],) if index in calls else _content(directive)
    names = {directive.name for directive in given}
    if "refusal" in names and not names & CONTENT:
        blocks.append(text_in_words(REFUSAL))
    elif not names & CONTENT and not calls:
        blocks += natural_blocks(replace(seen, thinks=seen.thinks and "thinking" not in names))
    reply = Reply(tuple(blocks))
    for directive in given:
        reply = _with_effect(reply, directive)
    return reply


def _content(directive: Directive) -> tuple[Block, ...]:
    """The blocks that a content directive adds to the message."""
    pieces, delay = int(directive.number("pieces", 1)), directive.number("delay", 0)
    match directive.name:
        case "text":
            return (Text.of(str(directive.value), pieces, delay),)
        case "tokens":
            count = int(directive.number("tokens", 1))
            if not 1 <= count <= MOST_TOKENS:
                raise DirectiveError(f"tokens is from 1 to {MOST_TOKENS}, not {count}")
            words = ("token", *(" token",) * (count - 1))  # one token each, and a delta each unless `pieces` is given
            return (Text.of("".join(words), pieces, delay) if "pieces" in directive.options else Text(words, delay),)
        case "thinking":
            return (Thinking.of(THOUGHT if directive.value is True else str(directive.value), pieces, delay),)
        case "megabyte":
            return (Text.of(LINE * 16_384, pieces=256),)
        case "emoji":
            return (Text(tuple(EMOJI)),)
        case _:
            return ()


def _with_effect(reply: Reply, directive: Directive) -> Reply:
    """Apply a directive that concerns the reply as a whole."""
    match directive.name:
        case "refusal":
            details = {"type": "refusal", "category": None, "explanation": "The simulator was told to refuse."}
            return replace(reply, stop_reason="refusal", stop_details=details)
        case "max_tokens":
            half = cut_at_max_tokens(reply, max(1, output_tokens(reply) // 2))
            return replace(half, stop_reason="max_tokens")
        case "slow":
            return replace(reply, first_byte_delay=directive.number("slow", 1))
        case "stall" | "cut" | "malformed" | "stream_error" as name:
            return replace(reply, fault=FAULTS[name](after_events=int(directive.number(name, FIRST_DELTA))))
        case _:
            return reply


def _failure(directive: Directive) -> Failure | Refused | None:
    """The failure that a directive asks for; None for any other directive."""
    if directive.name == "refused":
        return Refused()
    if directive.name != "error":
        return None
    failure = FAILURES.get(str(directive.value))
    if failure is None:
        raise DirectiveError(f"error={directive.value} is not one of: {', '.join(FAILURES)}")
    if "retry_after" in directive.options:
        return replace(failure, headers={"retry-after": str(int(directive.number("retry_after", 1)))})
    return failure


FAILURES: Mapping[str, Failure] = {
    **{str(status): Failure.of(status) for status in USUAL_FAILURES},
    "prompt_too_long": PROMPT_TOO_LONG,
    "credit_balance": CREDIT_BALANCE,
}


def _next_call(directive: Directive, tool: str, results: list[ToolResult], seen: Situation) -> ToolUse | None:
    """The call that a directive makes now; None if it was answered. Removes the results of its earlier calls from
    `results`.
    """
    bad_calls = 1 if directive.name == "malformed_arguments" else int(directive.number("invalid", 0, alone=1))
    answers = [result for result in results if result.tool == tool]
    failures = sum(1 for _ in takewhile(lambda answer: answer.failed, answers[:bad_calls]))
    for answer in answers[: failures + 1]:
        results.remove(answer)
    if len(answers) > failures:
        return None
    is_bad = failures < bad_calls
    if is_bad and directive.name == "malformed_arguments":
        whole = call(seen, tool).text
        return ToolUse(tool, raw=split(whole[: 1 + len(whole) // 2], 2))
    given = directive.options.get("input") if is_bad or not bad_calls else None  # `invalid` makes `input` the bad one
    if not (given is None or isinstance(given, dict)):
        raise DirectiveError(f"input of {directive.value} is not a JSON object: {given}")
    if given is not None:
        return ToolUse(tool, given)
    return ToolUse(tool, invalid_arguments(seen.schema(tool), hints(seen))) if is_bad else call(seen, tool)


def _tool(directive: Directive, seen: Situation) -> str | None:
    """The offered name of the tool that a directive calls; None if it calls none."""
    match directive:
        case Directive(name="tool" | "malformed_arguments", value=str(name)):
            return seen.offered(name)
        case Directive(name="malformed_arguments"):
            return next(iter((*asked_for(seen), *seen.tools)), None)
        case Directive(name="tool"):
            raise DirectiveError("tool needs a name: tool=get_weather")
        case _:
            return None
