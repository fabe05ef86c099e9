"""The bodies of replies (OpenAI reference: The response object)."""

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
    """The text of a refusal."""

    type: Literal["refusal"] = "refusal"
    refusal: str


OutputPart: TypeAlias = OutputText | OutputRefusal


class OutputMessage(ReplyWithConstants):
    """A message of the model."""

    id: str
    type: Literal["message"] = "message"
    status: ItemStatus
    role: Literal["assistant"] = "assistant"
    content: list[OutputPart]


class SummaryText(ReplyWithConstants):
    """A piece of the model's thinking, as upstream summarizes it."""

    type: Literal["summary_text"] = "summary_text"
    text: str


class OutputReasoning(ReplyWithConstants):
    """The model's thinking."""

    id: str
    type: Literal["reasoning"] = "reasoning"
    summary: list[SummaryText]
    status: ItemStatus


class OutputFunctionCall(ReplyWithConstants):
    """A function that the model calls; `arguments` is JSON text."""

    id: str
    type: Literal["function_call"] = "function_call"
    status: ItemStatus
    call_id: str
    name: str
    arguments: str


OutputItem: TypeAlias = OutputMessage | OutputReasoning | OutputFunctionCall


class InputTokensDetails(Reply):
    """The prompt's tokens that were read from the cache, and written to it."""

    cached_tokens: int
    cache_write_tokens: int


class OutputTokensDetails(Reply):
    """The answer's tokens that were spent on thinking."""

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
    """This server's extension: the model that answered, Claude Code's session, and its figure of the cost."""

    session_id: str
    model: str
    cost_usd: float | None


Json: TypeAlias = object
"""A value of the request that is repeated unchanged."""


class Response(ReplyWithConstants):
    """A response, complete or in progress. It repeats the parameters of the request."""

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
    """The confirmation that a response was deleted."""

    id: str
    object: Literal["response"] = "response"
    deleted: Literal[True] = True


class ItemList(ReplyWithConstants):
    """A page of the input items of a response."""

    object: Literal["list"] = "list"
    data: list[Mapping[str, Json]]
    first_id: str | None
    last_id: str | None
    has_more: bool
