"""Several answers to one request: each has an encoder or a collector of its own, and here one reply is made of theirs.

Tokens are counted as OpenAI counts them: those of a prompt once, those of all answers. The cost is that of all, and
upstream has counted a prompt for each of its answers. Where one of these numbers is not known, that of all is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from claude_openai.core.events import Event, TurnFinished
from claude_openai.protocols.chat_completions.stream import ChunkEncoder
from claude_openai.protocols.chat_completions.wire import (
    ChatCompletion,
    ChatCompletionChunk,
    ClaudeExtension,
    CompletionTokensDetails,
    CompletionUsage,
    PromptTokensDetails,
)


def interleave(answers: Sequence[ChatCompletion], choices: int = 1) -> ChatCompletion:
    """`answers` as one object, so many `choices` to each prompt; each answer has one."""
    all_of_them = [answer.choices[0].model_copy(update={"index": index}) for index, answer in enumerate(answers)]
    first = answers[0]
    whole = ChatCompletion(id=first.id, created=first.created, model=first.model, choices=all_of_them)
    return whole.model_copy(update=_account(answers, choices))


@dataclass(slots=True)
class ChoicesEncoder:
    """One stream of several answers, each by its encoder, so many `choices` to each prompt.

    What they used together is told after the last of them.
    """

    encoders: Sequence[ChunkEncoder]
    choices: int = 1
    _ends: dict[int, ChatCompletionChunk] = field(default_factory=dict, init=False)

    @property
    def calls(self) -> int:
        """How many calls the model has made."""
        return sum(encoder.calls for encoder in self.encoders)

    @property
    def over(self) -> bool:
        """Whether all answers are complete."""
        return len(self._ends) == len(self.encoders)

    def feed(self, choice: int, event: Event) -> list[ChatCompletionChunk]:
        """The chunks that `event` of an answer makes. A failure makes none, and ends them all."""
        chunks = self.encoders[choice].feed(event)
        if chunks:
            chunks = [*self._before(choice), *chunks]
        if not isinstance(event, TurnFinished):
            return chunks
        end = self._ends[choice] = chunks.pop()
        if end.choices:
            chunks.append(_unsigned(end))
        return self._signed(chunks, end) if self.over else chunks

    def _before(self, choice: int) -> list[ChatCompletionChunk]:
        """Answers open in their order: the official client takes no other."""
        return [chunk for encoder in self.encoders[:choice] for chunk in encoder.opening()]

    def _signed(self, chunks: list[ChatCompletionChunk], end: ChatCompletionChunk) -> list[ChatCompletionChunk]:
        """The last chunks of all, the last one with the account: it has no choices where that was asked for."""
        account = _account([self._ends[choice] for choice in range(len(self.encoders))], self.choices)
        if not end.choices and "usage" in account:
            return [*chunks, end.model_copy(update=account)]
        return [*chunks[:-1], chunks[-1].model_copy(update=account)]


def _unsigned(end: ChatCompletionChunk) -> ChatCompletionChunk:
    return ChatCompletionChunk(**{name: getattr(end, name) for name in end.model_fields_set if name != "claude"})


def _account(answers: Sequence[ChatCompletion | ChatCompletionChunk], choices: int) -> dict[str, object]:
    """What they used and cost together, under the names that it has in a reply."""
    usages = [answer.usage for answer in answers if answer.usage]
    signatures = [answer.claude for answer in answers if answer.claude]
    used = {"usage": _usage(usages, usages[::choices])} if len(usages) == len(answers) else {}
    return {**used, **({"claude": _signature(signatures)} if signatures else {})}


def _usage(usages: Sequence[CompletionUsage], prompts: Sequence[CompletionUsage]) -> CompletionUsage:
    prompt = sum(usage.prompt_tokens for usage in prompts)
    completion = sum(usage.completion_tokens for usage in usages)
    details = [usage.prompt_tokens_details for usage in prompts]
    return CompletionUsage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details=PromptTokensDetails(
            cached_tokens=sum(detail.cached_tokens for detail in details),
            cache_write_tokens=sum(detail.cache_write_tokens for detail in details),
        ),
        completion_tokens_details=CompletionTokensDetails(
            reasoning_tokens=sum(usage.completion_tokens_details.reasoning_tokens for usage in usages)
        ),
    )


def _signature(signatures: Sequence[ClaudeExtension]) -> ClaudeExtension:
    """The first one's, whose session is kept."""
    costs = [signature.cost_usd for signature in signatures if signature.cost_usd is not None]
    return signatures[0].model_copy(update={"cost_usd": sum(costs) if len(costs) == len(signatures) else None})
