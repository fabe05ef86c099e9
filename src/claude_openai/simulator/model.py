"""The simulated model, which answers requests for which there is no script. It is a pure function: the same request
always gets the same answer.

It follows the directives of the newest user message, or the natural rules where there are none, and then applies the
request's stop sequences and `max_tokens`.
"""

from typing import Final

from claude_openai.jsontools.work_limit import TooMuch, bounded
from claude_openai.simulator.directed import follow_directives
from claude_openai.simulator.directives import DirectiveError, directives
from claude_openai.simulator.limits import cut_at_max_tokens, cut_at_stop_sequence
from claude_openai.simulator.natural import natural_blocks
from claude_openai.simulator.recorded import RecordedRequest
from claude_openai.simulator.script import Answer, Failure, Reply
from claude_openai.simulator.situation import situation

MOST_WORK: Final = 100_000
"""Parts of schemas that may be visited for one answer: 0.2 s of nested alternatives (measured), or 50,000 fields of a
tool."""


def simulated_model(request: RecordedRequest) -> Answer:
    """Answer a request.

    Raises:
        TooMuch: it takes too much work to generate arguments that the schemas accept.
    """
    left = iter(range(MOST_WORK))

    def bound() -> None:
        """Count units of work, and not time: the result is then the same on every machine."""
        if next(left, None) is None:
            raise TooMuch

    with bounded(bound):
        try:
            seen = situation(request)
            found = directives(seen.prompt)
            answer = follow_directives(found, seen) if found else Reply(natural_blocks(seen))
        except DirectiveError as problem:
            answer = Failure.of(400, str(problem))
    if not isinstance(answer, Reply):
        return answer
    reply = cut_at_stop_sequence(answer, request.body.get("stop_sequences") or ())
    return cut_at_max_tokens(reply, request.body["max_tokens"])
