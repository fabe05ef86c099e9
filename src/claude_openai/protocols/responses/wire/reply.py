"""A response: what a client gets (OpenAI reference: The response object)."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

from claude_openai.protocols.common.wire.reply import Reply, ReplyWithConstants

ItemStatus = Literal["in_progress", "completed", "incomplete"]
Status = Literal["in_progress", "completed", "incomplete", "failed", "cancelled"]


class OutputText(ReplyWithConstants):
    """The answer's text."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: tuple[()] = ()
    logprobs: tuple[()] = ()


class OutputRefusal(ReplyWithConstants):
    """Why the model would not answer."""

    type: Literal["refusal"] = "refusal"
    refusal: str


OutputPart: TypeAlias = OutputText | OutputRefusal


class OutputMessage(ReplyWithConstants):
    """What the model says."""

    id: str
    type: Literal["message"] = "message"
    status: ItemStatus
    role: Literal["assistant"] = "assistant"
    content: list[OutputPart]


class SummaryText(ReplyWithConstants):
    """A piece of the model's thinking, as far as upstream shows it."""

    type: Literal["summary_text"] = "summary_text"
    text: str


class OutputReasoning(ReplyWithConstants):
    """What the model thought."""

    id: str
    type: Literal["reasoning"] = "reasoning"
    summary: list[SummaryText]
    status: ItemStatus


class OutputFunctionCall(ReplyWithConstants):
    """A function that the model calls, with `arguments` as JSON text."""

    id: str
    type: Literal["function_call"] = "function_call"
    status: ItemStatus
    call_id: str
    name: str
    arguments: str


OutputItem: TypeAlias = OutputMessage | OutputReasoning | OutputFunctionCall


class InputTokensDetails(Reply):
    """What became of the prompt's tokens at the cache."""

    cached_tokens: int
    cache_write_tokens: int


class OutputTokensDetails(Reply):
    """What the answer's tokens were spent on."""

    reasoning_tokens: int


class ResponseUsage(Reply):
    """Tokens of one request and its answer."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


ErrorCode = Literal["server_error", "rate_limit_exceeded", "invalid_prompt"]


class ResponseError(Reply):
    """Why there is no answer."""

    code: ErrorCode
    type: str | None
    message: str


class IncompleteDetails(Reply):
    """Why the answer was cut."""

    reason: Literal["max_output_tokens", "content_filter"]


class ClaudeExtension(Reply):
    """What this server adds: the model that answered, Claude Code's session, and its own figure of the cost."""

    session_id: str
    model: str
    cost_usd: float | None


Json: TypeAlias = object
"""What is told back to the client as it sent it."""


class Response(ReplyWithConstants):
    """A response, complete or as it stands. What the client asked for is told back to it."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None
    status: Status
    background: bool
    error: ResponseError | None
    frequency_penalty: float = 0.0
    incomplete_details: IncompleteDetails | None
    instructions: str | None
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: dict[str, str]
    model: str
    output: list[OutputItem]
    parallel_tool_calls: bool
    presence_penalty: float = 0.0
    previous_response_id: str | None
    prompt_cache_key: str | None
    reasoning: dict[str, str | None]
    safety_identifier: str | None
    service_tier: str
    store: bool
    temperature: float
    text: Mapping[str, Json]
    tool_choice: Json
    tools: list[Mapping[str, Json]]
    top_logprobs: int
    top_p: float
    truncation: Literal["auto", "disabled"]
    usage: ResponseUsage | None
    user: str | None
    claude: ClaudeExtension | None = None


class Deleted(ReplyWithConstants):
    """A response is forgotten."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ItemList(ReplyWithConstants):
    """A page of the items that a response was asked with."""

    object: Literal["list"] = "list"
    data: list[Mapping[str, Json]]
    first_id: str | None
    last_id: str | None
    has_more: bool
