"""What a client is tried on: the prompt, and what must come of it, whichever client it is. Pure.

A check gets what the client returned and what reached the model, and yields a sentence for each thing that is wrong.
"""

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from claude_openai.simulator import RecordedRequest
from claude_openai.simulator.recorded import blocks, texts

SQUARE: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC"
)
"""A red square, a PNG of 8 by 8."""

NOTES: Final = "notes.txt"
BEFORE: Final = "The colour is blue.\n"
AFTER: Final = "The colour is green.\n"
"""A file that an agent is asked to change: its name, and its text before and after."""

Returned = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What happened behind the client. `live` counts the turns that went on in a session that was there already,
    `notes` is the text of the agent's file.
    """

    upstream: tuple[RecordedRequest, ...]
    live: int = 0
    notes: str = ""

    def told(self, text: str) -> bool:
        """Whether some message to the model said so."""
        return any(text in each for request in self.upstream for each in _said(request))

    def results(self) -> list[str]:
        """The tool results that reached the model."""
        return [
            "\n".join(texts(block["content"])) if isinstance(block.get("content"), list) else str(block.get("content"))
            for request in self.upstream
            for message in request.messages
            for block in blocks(message["content"])
            if block.get("type") == "tool_result"
        ]


Check = Callable[[Returned, Seen], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Capability:
    """`name` is what drivers call it, `title` heads its column, `means` explains it to readers."""

    name: str
    title: str
    means: str
    prompt: str
    check: Check = field(repr=False)


def _lists_models(returned: Returned, _: Seen) -> Iterator[str]:
    if "sonnet" not in returned["models"]:
        yield f"sonnet is not among the models: {returned['models']}"


def _answers(returned: Returned, seen: Seen) -> Iterator[str]:
    yield from _same("the answer", returned["text"].strip(), "hello")
    if not seen.told("Say hello"):
        yield "the prompt did not reach the model"


def _streams(returned: Returned, _: Seen) -> Iterator[str]:
    pieces = returned["pieces"]
    yield from _same("the answer", "".join(pieces).strip(), "1, 2, 3, 4, 5")
    if len(pieces) < 3:  # noqa: PLR2004 -- five words in five deltas; a client may join some
        yield f"it came in {len(pieces)} pieces"


def _counts(returned: Returned, seen: Seen) -> Iterator[str]:
    used = next((request.usage for request in reversed(seen.upstream) if request.usage), {})
    cached = used.get("cache_read_input_tokens", 0)
    prompt = used.get("input_tokens", 0) + used.get("cache_creation_input_tokens", 0) + cached
    yield from _same("prompt, completion tokens", list(returned["usage"]), [prompt, used.get("output_tokens")])


def _calls_tools(returned: Returned, seen: Seen) -> Iterator[str]:
    yield from _same("what the tool was called with", returned["called"], ["Paris"])
    if not any("21 degrees in Paris" in result for result in seen.results()):
        yield f"the tool's result did not reach the model: {seen.results()}"
    if "21 degrees in Paris" not in returned["text"]:
        yield f"the answer does not tell the tool's result: {returned['text']}"


def _converses(returned: Returned, seen: Seen) -> Iterator[str]:
    yield from _same("the answers", [text.strip() for text in returned["texts"]], ["one", "two", "three"])
    if not returned.get("rewrites") and seen.live < 2:  # noqa: PLR2004 -- three turns, of which the first has no session to go on in
        yield f"only {seen.live} of 2 turns went on in the live session"


def _shows_image(_: Returned, seen: Seen) -> Iterator[str]:
    sent = [
        block["source"].get("data")
        for request in seen.upstream
        for message in request.messages
        for block in blocks(message["content"])
        if block.get("type") == "image"
    ]
    if base64.b64encode(SQUARE).decode() not in sent:
        yield f"the model saw {len(sent)} images, and not that one"


def _fits_schema(returned: Returned, _: Seen) -> Iterator[str]:
    value = returned["value"]
    if not (isinstance(value, dict) and value.keys() == {"city", "degrees"} and isinstance(value["degrees"], int)):
        yield f"it does not fit the schema: {value}"


def _reasons(returned: Returned, _: Seen) -> Iterator[str]:
    yield from _same("the reasoning", returned["reasoning"], "Let me see.")
    yield from _same("the answer", returned["text"].strip(), "42")


def _edits(returned: Returned, seen: Seen) -> Iterator[str]:
    yield from _same("the file", seen.notes, AFTER)
    if returned.get("reads", True) and not any(BEFORE.strip() in result for result in seen.results()):
        yield f"what was in the file did not reach the model: {seen.results()}"
    if "Painted." not in returned["text"]:
        yield f"the model's last words were not shown: {returned['text'][-200:]}"


def _passes_its_suite(returned: Returned, _: Seen) -> Iterator[str]:
    if returned["failed"] or not returned["passed"]:
        yield f"{returned['passed']} passed, and these did not: {', '.join(returned['failed'])}"


def _prints_hello(returned: Returned, _: Seen) -> Iterator[str]:
    if "hello" not in returned["text"].split():
        yield f"it should print hello and prints: {returned['text'][-200:]}"


def _same(what: str, found: object, expected: object) -> Iterator[str]:
    if found != expected:
        yield f"{what} should be {expected!r} and is {found!r}"


def _said(request: RecordedRequest) -> Iterator[str]:
    for message in request.messages:
        yield from texts(message["content"])


SAY: Final = 'Say hello [[sim text="hello"]]'
"""Told twice, as agents put words of their own before the user's."""

PAINT: Final = "Paint it green."
"""Drivers add what their client's tools are called with."""

CAPABILITIES: Final = {
    each.name: each
    for each in (
        Capability("paste", "as pasted", "The lines of this page, pasted as they are, work.", "", _prints_hello),
        Capability("models", "models", "It lists the server's models.", "", _lists_models),
        Capability("answer", "answer", "A prompt reaches the model, and its answer the client.", SAY, _answers),
        Capability("stream", "stream", "The answer comes in pieces.", "Count to 5.", _streams),
        Capability("usage", "usage", "It shows the tokens that the model's provider counted.", SAY, _counts),
        Capability(
            "tools",
            "tools",
            "The model calls the client's tool, and goes on with its result.",
            '[[sim tool=get_weather input={"city": "Paris"}]]',
            _calls_tools,
        ),
        Capability(
            "conversation",
            "conversation",
            "Three turns; the later ones go on in the live session, if the client sends again what it sent before.",
            "\n".join(f'Say {word} [[sim text="{word}"]]' for word in ("one", "two", "three")),
            _converses,
        ),
        Capability("image", "image", "The model sees the image.", "What is on it?", _shows_image),
        Capability(
            "forced",
            "forced call",
            "A value through the one tool that the model must call.",
            "Report on Paris.",
            _fits_schema,
        ),
        Capability("schema", "schema", "The answer is a value of the client's type.", "Report on Paris.", _fits_schema),
        Capability(
            "reasoning",
            "reasoning",
            "The client shows what the model thought.",
            '[[sim thinking="Let me see."]] [[sim text="42"]]',
            _reasons,
        ),
        Capability("edit", "edit", "Its own tools read and change a file as the model wants it.", PAINT, _edits),
        Capability("suite", "its suite", "The standard tests of the client's own makers pass.", "", _passes_its_suite),
    )
}
