"""Merges several answers to one request into one reply; each has an encoder or a collector of its own.

Tokens are counted as OpenAI counts them: each prompt once, and all answers. The cost is the sum over all answers, for
each of which upstream has counted the prompt. Where a number is not known of one answer, the sum is not known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from claude_openai.core.events import Event, TurnFinished
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import (
    ChatCompletion,
    ChatCompletionChunk,
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)


def interleave(answers: Sequence[ChatCompletion], choices: int = 1) -> ChatCompletion:
    """`answers` as one object, with so many `choices` for each prompt; each answer has one."""
    all_of_them = [answer.choices[0].model_copy(update={"index": index}) for index, answer in enumerate(answers)]
    first = answers[0]
    whole = ChatCompletion(id=first.id, created=first.created, model=first.model, choices=all_of_them)
    return whole.model_copy(update=_totals(answers, choices))


@dataclass(slots=True)
class ChoicesEncoder:
    """Encodes one stream of several answers, each with its encoder, and so many `choices` for each prompt.

    What they used together is sent after the last of them.
    """

    encoders: Sequence[ChunkEncoder]
    choices: int = 1
    _ends: dict[int, ChatCompletionChunk] = field(default_factory=dict, init=False)

    @property
    def over(self) -> bool:
        """Whether all answers are complete."""
        return len(self._ends) == len(self.encoders)

    def feed(self, choice: int, event: Event) -> list[ChatCompletionChunk]:
        """The chunks of an answer's `event`. A failure has none, and ends all answers."""
        chunks = self.encoders[choice].feed(event)
        if chunks and choice:  # answers open in their order: the official client accepts no other
            chunks = [*(chunk for encoder in self.encoders[:choice] for chunk in encoder.open()), *chunks]
        if not isinstance(event, TurnFinished):
            return chunks
        end = self._ends[choice] = chunks.pop()
        if end.choices:
            given = {name: getattr(end, name) for name in end.model_fields_set if name != "claude"}
            chunks.append(ChatCompletionChunk(**given))
        return self._with_totals(chunks, end) if self.over else chunks

    def _with_totals(self, chunks: list[ChatCompletionChunk], end: ChatCompletionChunk) -> list[ChatCompletionChunk]:
        """The last chunks of all, the last one with the totals: it has no choices if the client asked for usage."""
        totals = _totals([self._ends[choice] for choice in range(len(self.encoders))], self.choices)
        if not end.choices and "usage" in totals:
            return [*chunks, end.model_copy(update=totals)]
        return [*chunks[:-1], chunks[-1].model_copy(update=totals)]


def _totals(answers: Sequence[ChatCompletion | ChatCompletionChunk], choices: int) -> dict[str, object]:
    """What the answers used and cost together, under the names of a reply's fields. The session is the first one's."""
    totals: dict[str, object] = {}
    usages = [answer.usage for answer in answers if answer.usage]
    if len(usages) == len(answers):
        prompts = usages[::choices]
        prompt = sum(usage.prompt_tokens for usage in prompts)
        completion = sum(usage.completion_tokens for usage in usages)
        totals["usage"] = CompletionUsage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=prompt + completion,
            prompt_tokens_details=PromptTokensDetails(
                cached_tokens=sum(usage.prompt_tokens_details.cached_tokens for usage in prompts),
                cache_write_tokens=sum(usage.prompt_tokens_details.cache_write_tokens for usage in prompts),
            ),
            completion_tokens_details=CompletionTokensDetails(
                reasoning_tokens=sum(usage.completion_tokens_details.reasoning_tokens for usage in usages)
            ),
        )
    extensions = [answer.claude for answer in answers if answer.claude]
    if extensions:
        costs = [extension.cost_usd for extension in extensions if extension.cost_usd is not None]
        cost = sum(costs) if len(costs) == len(extensions) else None
        totals["claude"] = extensions[0].model_copy(update={"cost_usd": cost})
    return totals
