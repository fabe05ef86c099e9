"""A client with one conversation: it says what its plan has, suffers what befalls it, and judges every answer."""

import time
from dataclasses import dataclass
from typing import Any, Final

import anyio
import openai
from openai.types.chat import (
    ChatCompletionMessageParam,
    ChatCompletionToolMessageParam,
    ChatCompletionToolParam,
    ChatCompletionUserMessageParam,
)

from tests.release.soak.chaos import Chaos
from tests.release.soak.client import Call, Ear, Failed, History, Left, Outcome, Said, argument, asked
from tests.release.soak.ledger import Figure, Ledger
from tests.release.soak.marks import Answer, mark, result_of, trail
from tests.release.soak.plan import CODES, KILLED, Change, Mishap, Plan, Step
from tests.release.soak.upstream import TOOL, Upstream, question

MODEL: Final = "claude-sonnet-5"

ATTEMPTS = 5
"""Of one request. Only the first is made to fail; others can be hit by the kills of other conversations."""

ATTEMPT_SECONDS = 90
"""Bound on one attempt, its time in the server's queue included."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of a turn: what becomes of it, and when it was sent."""

    where: str
    mishap: Mishap
    sent_at: float


@dataclass(frozen=True, slots=True)
class Stage:
    """What all conversations of a soak share."""

    client: openai.AsyncOpenAI
    upstream: Upstream
    chaos: Chaos
    ledger: Ledger


class Player:
    """Plays one conversation. It gives up on a turn that has no answer after `ATTEMPTS`, and the ledger has it."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self._plan = plan
        self._secret = plan.secret
        self._tools = [_tool(plan.secret)]
        self._stage = stage
        self._branch: History = ()
        self._ledger = stage.ledger

    async def play(self) -> None:
        history: History = ({"role": "system", "content": f"You are {mark(self._secret, 's', 0)}."},)
        for number, step in enumerate(self._plan.steps):
            begun = self._begun(number, step, history)
            over = await self._turn(f"conversation {self._plan.number}, turn {number}", step, begun)
            if over is None:
                return
            history = over
            self._ledger.count(Figure.TURNS)
        self._ledger.count(Figure.CONVERSATIONS)

    def _begun(self, number: int, step: Step, history: History) -> History:
        """`history` with the client's next words at its end."""
        said = [place for place, message in enumerate(history) if message["role"] == "user"]
        words = _user(question(mark(self._secret, "u", number), step.calls))
        if not said:
            return (*history, words)
        self._ledger.changes[step.change] += 1
        chosen = said[step.edited % len(said)]
        match step.change:
            case Change.NONE:
                return (*history, words)
            case Change.REGENERATE:
                self._branch = history
                return history[: said[-1] + 1]
            case Change.EDIT:
                self._branch = history
                return (*history[:chosen], words)
            case Change.REWORD:
                reworded = _user(f"{mark(self._secret, 'u', number, 1)} It was meant like this.")
                return (*history[:chosen], reworded, *history[chosen + 1 :], words)
            case Change.RETURN:
                history, self._branch = self._branch or history, history
                return (*history, words)

    async def _turn(self, where: str, step: Step, history: History) -> History | None:
        """`history` with the answer at its end, tool calls and their results before it; None without one."""
        mishap = Mishap.NONE if step.befalls_results else step.mishap
        while True:
            outcome = await self._outcome(where, step, mishap, history)
            match outcome:
                case Left(text) if step.keeps and text.strip():
                    return (*history, Said(text).sent_back())
                case Left():
                    mishap = Mishap.NONE
                case Said(_, ()):
                    self._judge(where, outcome, history)
                    return (*history, outcome.sent_back())
                case Said(_, calls):
                    history = (*history, outcome.sent_back(), *self._results(where, calls))
                    mishap = step.mishap if step.befalls_results else Mishap.NONE
                case Failed():
                    return None

    async def _outcome(self, where: str, step: Step, mishap: Mishap, history: History) -> Outcome:
        """What comes of one request, sent again as often as a client does that; a failure if nothing helped."""
        for again in range(ATTEMPTS):
            attempt = Attempt(where, Mishap.NONE if again else mishap, time.monotonic())
            self._ledger.count(Figure.RETRIES if again else Figure.REQUESTS)
            outcome = await self._attempted(attempt, step, history)
            self._ledger.seen(repr(outcome), where, of=self._secret)
            if not isinstance(outcome, Failed):
                self._note(attempt, outcome)
                return outcome
            self._excuse(attempt, outcome)
        self._ledger.breaks(f"{where}: no answer in {ATTEMPTS} attempts")
        return outcome

    async def _attempted(self, attempt: Attempt, step: Step, history: History) -> Outcome:
        ear, request = Ear(step.pieces), self._request(history)
        with (
            self._stage.upstream.suffering(self._secret, attempt.mishap) as arrived,
            anyio.move_on_after(ATTEMPT_SECONDS),
        ):
            async with anyio.create_task_group() as beside:
                moment = ear.enough if step.streamed else arrived
                beside.start_soon(self._strike, attempt.mishap, moment, beside.cancel_scope)
                outcome = await asked(self._stage.client, request, streamed=step.streamed, ear=ear)
                beside.cancel_scope.cancel()
                return outcome
            return Left(ear.text)
        return Failed("no answer", f"nothing in {ATTEMPT_SECONDS} s")

    async def _strike(self, mishap: Mishap, moment: anyio.Event, leaving: anyio.CancelScope) -> None:
        """At its moment, what does not happen upstream."""
        await moment.wait()
        if mishap is Mishap.LEAVE:
            leaving.cancel()
        elif mishap is Mishap.KILL:
            self._stage.chaos.kill_one()

    def _note(self, attempt: Attempt, outcome: Said | Left) -> None:
        """An answer must not be one where upstream gave none."""
        if isinstance(outcome, Left):
            self._ledger.count(Figure.DISCONNECTS)
        elif attempt.mishap is Mishap.PASSING:
            self._ledger.failures[attempt.mishap, None] += 1
        elif attempt.mishap in CODES:
            self._ledger.breaks(f"{attempt.where}: upstream failed ({attempt.mishap}), and there was an answer")

    def _excuse(self, attempt: Attempt, failed: Failed) -> None:
        """A failure must be the one that was caused."""
        if failed.code in CODES.get(attempt.mishap, ()):
            self._ledger.failures[attempt.mishap, failed.code] += 1
        elif failed.code in KILLED and self._stage.chaos.killed_since(attempt.sent_at):
            self._ledger.count(Figure.KILLED)
        else:
            said = f"{attempt.where}: failed with {failed.code} ({failed.message}); caused was: {attempt.mishap}"
            self._ledger.breaks(said)

    def _judge(self, where: str, said: Said, history: History) -> None:
        expected = Answer(self._secret, frozenset({self._secret}), trail(self._tools, list(history)))
        answer = Answer.read(said.text)
        self._ledger.count(Figure.ANSWERS)
        if answer is None:
            self._ledger.breaks(f"{where}: not an answer of the model: {said.text!r}")
        elif answer != expected:
            self._ledger.breaks(f"{where}: the model was not told what the client said: {answer} instead of {expected}")

    def _results(self, where: str, calls: tuple[Call, ...]) -> list[ChatCompletionToolMessageParam]:
        self._ledger.count(Figure.CALLS, by=len(calls))
        if {call.name for call in calls} != {TOOL}:
            self._ledger.breaks(f"{where}: calls of {[call.name for call in calls]}")
        return [
            {"role": "tool", "tool_call_id": call.id, "content": f"It is {result_of(argument(call, 'what'))}."}
            for call in reversed(calls)
        ]

    def _request(self, history: History) -> dict[str, Any]:
        messages: list[ChatCompletionMessageParam] = list(history)
        return {"model": MODEL, "messages": messages, "tools": self._tools}


def _user(words: str) -> ChatCompletionUserMessageParam:
    return {"role": "user", "content": words}


def _tool(secret: str) -> ChatCompletionToolParam:
    return {
        "type": "function",
        "function": {
            "name": TOOL,
            "description": f"Looks up what {mark(secret, 't', 0)} knows.",
            "parameters": {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
        },
    }
