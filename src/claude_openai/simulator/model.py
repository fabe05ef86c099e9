"""The simulated model: what is answered to a request without a script. A pure function, so the same request is always
answered alike.

It follows the directives of the newest user message, or its natural rules where there are none, and then obeys the
request's stop sequences and `max_tokens`.
"""

from collections.abc import Callable
from typing import Final

from claude_openai.jsontools.work_limit import TooMuch, bounded
from claude_openai.simulator.directed import directed
from claude_openai.simulator.directives import DirectiveError, directives
from claude_openai.simulator.limits import limited, stopped
from claude_openai.simulator.natural import natural_blocks
from claude_openai.simulator.recorded import RecordedRequest
from claude_openai.simulator.script import Answer, Failure, Reply
from claude_openai.simulator.situation import Situation, situation

MOST_WORK: Final = 100_000
"""Parts of schemas looked at for one answer: 0.2 s of nested alternatives (measured), 50,000 fields of a tool."""


def simulated_model(request: RecordedRequest) -> Answer:
    """The answer.

    Raises:
        TooMuch: it takes too long to make up arguments that the schemas accept.
    """
    with bounded(_at_most(MOST_WORK)):
        answer = _freely(situation(request))
    if not isinstance(answer, Reply):
        return answer
    obedient = stopped(answer, request.body.get("stop_sequences") or ())
    return limited(obedient, request.body["max_tokens"])


def _freely(seen: Situation) -> Answer:
    try:
        told = directives(seen.prompt)
        return directed(told, seen) if told else Reply(natural_blocks(seen))
    except DirectiveError as problem:
        return Failure.of(400, str(problem))


def _at_most(pieces: int) -> Callable[[], None]:
    """A bound for `jsontools.work_limit`: so many pieces of work, the same on every machine."""
    left = iter(range(pieces))

    def bound() -> None:
        if next(left, None) is None:
            raise TooMuch

    return bound
