"""The model of a soak: it tells each conversation what it knows of it, fails as it is told to, and looks for strangers.

It does not know what it should be told; that is for the client to judge. It holds no conversation either: all it says
follows from the one request that it answers.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from types import MappingProxyType
from typing import Final

import anyio

from claude_openai.simulator import Cut, Failure, Fault, JsonObject, RecordedRequest, Reply, Stall, Text, ToolUse
from claude_openai.simulator.recorded import blocks
from claude_openai.simulator.script import FIRST_DELTA
from claude_openai.simulator.script import Answer as Played
from tests.release.soak.ledger import Figure, Ledger
from tests.release.soak.marks import Answer, mark, marks_in, result_of, secrets_in, trail
from tests.release.soak.plan import Mishap

TOOL: Final = "look_up"

PIECES, PIECE_SECONDS = 16, 0.01
"""Of an answer: long enough to be left or cut in its middle."""

_WANTED: Final = re.compile(r"Look up (\d) things")

_FAILURES: Final[Mapping[Mishap, Failure]] = MappingProxyType(
    {
        Mishap.REFUSED: Failure.of(401),
        Mishap.RATE_LIMITED: Failure.of(429),
        Mishap.FAILING: Failure.of(500),
        Mishap.OVERLOADED: Failure.of(529),
        Mishap.PASSING: Failure.of(529),
    }
)
_FAULTS: Final[Mapping[Mishap, Fault]] = MappingProxyType(
    {Mishap.CUT: Cut(FIRST_DELTA + 2), Mishap.STALL: Stall(FIRST_DELTA + 2)}
)


def question(own_mark: str, calls: int) -> str:
    """What a user says who wants so many calls."""
    return f"{own_mark} " + (f"Look up {calls} things, then answer." if calls else "Answer.")


class Upstream:
    """A `Script`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._answers: Counter[str] = Counter()
        self._asked: dict[str, anyio.Event] = {}
        self._mishaps: dict[str, Mishap] = {}

    @contextmanager
    def suffering(self, secret: str, mishap: Mishap) -> Iterator[anyio.Event]:
        """For the block, requests of this conversation suffer `mishap`. The event is set when the first arrives."""
        self._asked[secret], self._mishaps[secret] = anyio.Event(), mishap
        try:
            yield self._asked[secret]
        finally:
            del self._asked[secret], self._mishaps[secret]

    def __call__(self, request: RecordedRequest) -> Played:
        self._ledger.count(Figure.UPSTREAM)
        secrets = secrets_in(json.dumps(request.body))
        if len(secrets) != 1:
            self._ledger.leaks(f"a request upstream holds {len(secrets)} secrets: {' '.join(sorted(secrets))}")
            if not secrets:
                return Failure.of(400).final()
        secret = marks_in(_newest(request.messages))[-1].partition("/")[0]
        if secret in self._asked:
            self._asked[secret].set()
        return self._played(request, secret, secrets)

    def _played(self, request: RecordedRequest, secret: str, secrets: frozenset[str]) -> Played:
        mishap = self._mishaps.get(secret, Mishap.NONE)
        if mishap is Mishap.PASSING:
            self._mishaps[secret] = Mishap.NONE
        if failure := _FAILURES.get(mishap):
            return failure
        self._answers[secret] += 1
        return self._reply(request, secret, secrets, _FAULTS.get(mishap))

    def _reply(self, request: RecordedRequest, secret: str, secrets: frozenset[str], fault: Fault | None) -> Reply:
        number = self._answers[secret]
        if wanted := _wanted(request.messages):
            words = f"{mark(secret, 'a', number)} has to look {wanted} things up first."
            calls = (ToolUse(TOOL, {"what": mark(secret, "c", number, part)}) for part in range(wanted))
            return Reply((Text.of(words, PIECES, PIECE_SECONDS), *calls), fault=fault)
        for call, result in _mispaired(request.messages):
            self._ledger.breaks(f"the model was given {result} as the result of {call}")
        heard = trail(request.tools, request.body.get("system"), request.messages)
        said = Answer(secret, secrets, heard).told(number)
        return Reply.of(said, PIECES, PIECE_SECONDS, fault=fault)


def _newest(messages: list[JsonObject]) -> list[JsonObject]:
    """What came after the last answer; Claude Code may have put a message of its own behind the user's."""
    return list(takewhile(lambda message: message["role"] != "assistant", reversed(messages)))[::-1]


def _wanted(messages: list[JsonObject]) -> int:
    """How many calls the user waits for; none once there are results."""
    newest = _newest(messages)
    found = _WANTED.search(json.dumps(newest))
    has_results = any(block["type"] == "tool_result" for message in newest for block in blocks(message["content"]))
    return int(found[1]) if found and not has_results else 0


def _mispaired(messages: list[JsonObject]) -> Iterator[tuple[str, str]]:
    """Marks of calls and results that do not belong together, and yet share an id."""
    all_blocks = [block for message in messages for block in blocks(message["content"])]
    calls = {block["id"]: marks_in(block["input"]) for block in all_blocks if block["type"] == "tool_use"}
    for block in all_blocks:
        if block["type"] == "tool_result":
            call, result = calls[block["tool_use_id"]], marks_in(block["content"])
            if list(map(result_of, call)) != result:
                yield " ".join(call), " ".join(result)
