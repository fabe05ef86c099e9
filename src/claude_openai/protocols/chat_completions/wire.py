"""The bodies of `POST /v1/chat/completions` (OpenAI reference: Create chat completion).

`protocols.common.wire.request_base` explains strictness, unknown fields and the tags of unions.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, Tag

from claude_openai.protocols.common.shared_parameters import CompletionFields, CurrentFields
from claude_openai.protocols.common.wire import request_base as common
from claude_openai.protocols.common.wire.reply import Reply, ReplyWithConstants
from claude_openai.protocols.common.wire.request_base import (
    MOST_TOOLS,
    PLAIN_CHOICES,
    AudioPart,
    Effort,
    Function,
    FunctionName,
    JsonObjectFormat,
    Metadata,
    Object,
    PlainChoice,
    RefusalPart,
    RequestModel,
    SchemaName,
    Text,
    TextFormat,
    TokenLimit,
    field_discriminator,
    json_type_discriminator,
)

ACTIVITY_EVENT = "claude.activity"

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
# --- Content ---------------------------------------------------------------------------------------------------------


class TextPart(Text):
    """A piece of text."""

    type: Literal["text"]


class ImageSource(RequestModel):
    """A data URI or an http(s) URL."""

    url: str
    detail: str | None = None


class ImagePart(common.Part):
    """An image; in user messages and tool results."""

    type: Literal["image_url"]
    image_url: ImageSource


class FileSource(RequestModel):
    """A file, inline as `file_data` or uploaded earlier as `file_id`."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(common.Part):
    """A file; user messages only."""

    type: Literal["file"]
    file: FileSource


Part = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[ImagePart, Tag("<image>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[AudioPart, Tag("<audio>")],
    field_discriminator(
        "type",
        {"text": "<text>", "image_url": "<image>", "file": "<file>", "refusal": "<refusal>", "input_audio": "<audio>"},
    ),
]
Content = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[Part], Field(fail_fast=True), Tag("<list>")],
    json_type_discriminator("a string or an array of content parts"),
]


# --- Messages --------------------------------------------------------------------------------------------------------


class FunctionCall(RequestModel):
    """The function that was called; `arguments` is JSON text."""

    echoed = frozenset({"parsed_arguments", "provider_specific_fields"})

    name: FunctionName
    arguments: str


class ToolCall(RequestModel):
    """One call of an earlier answer. Some clients leave out `type`."""

    echoed = frozenset({"index", "provider_specific_fields", "extra_content"})

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class CustomInput(RequestModel):
    """The custom tool that was called, and its input."""

    name: str
    input: str


class CustomToolCall(RequestModel):
    """A call of a tool that takes any text, in another model's earlier answer."""

    id: str
    type: Literal["custom"]
    custom: CustomInput


EarlierCall = Annotated[
    Annotated[ToolCall, Tag("<function>")] | Annotated[CustomToolCall, Tag("<custom>")],
    field_discriminator("type", {"function": "<function>", "custom": "<custom>"}, absent="<function>"),
]


class SystemMessage(RequestModel):
    """Instructions, under OpenAI's old name of the role or its new one."""

    role: Literal["system", "developer"]
    content: Content
    name: str | None = None


class UserMessage(RequestModel):
    """A message of the user."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class AssistantMessage(RequestModel):
    """An earlier answer."""

    # Answers of OpenAI, its Python package (`parsed`), LiteLLM, OpenRouter and Gemini have these.
    echoed = frozenset(
        {"annotations", "reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "parsed"}
        | {"provider_specific_fields", "extra_content", "id", "claude"}
    )

    role: Literal["assistant"]
    content: Content | None = None
    refusal: str | None = None
    name: str | None = None
    audio: Object | None = None
    tool_calls: Annotated[list[EarlierCall], Field(fail_fast=True)] | None = None
    function_call: FunctionCall | None = None


class ToolMessage(RequestModel):
    """The result of one call."""

    # The function's name, which clients sent before `tool_call_id` was enough.
    echoed = frozenset({"name"})

    role: Literal["tool"]
    content: Content | None = None
    tool_call_id: str


class FunctionMessage(RequestModel):
    """The result of a call in the form that preceded tools, which had no ids."""

    role: Literal["function"]
    content: Content | None = None
    name: FunctionName


Message = Annotated[
    Annotated[SystemMessage, Tag("<system>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")]
    | Annotated[FunctionMessage, Tag("<function>")],
    field_discriminator(
        "role",
        {
            "system": "<system>",
            "developer": "<system>",
            "user": "<user>",
            "assistant": "<assistant>",
            "tool": "<tool>",
            "function": "<function>",
        },
    ),
]


# --- Tools -----------------------------------------------------------------------------------------------------------


class Tool(RequestModel):
    """A function as a tool, the only supported kind."""

    type: Literal["function"]
    function: Function


class FunctionByName(RequestModel):
    """A choice of one function."""

    name: str


class NamedTool(RequestModel):
    """One of the tools, as a choice or in a list of allowed tools."""

    type: Literal["function"]
    function: FunctionByName


class AllowedTools(RequestModel):
    """Some of the tools; `mode` decides whether the model must call one of them."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Field(fail_fast=True)]


class AllowedToolsChoice(RequestModel):
    """The choice that restricts the model to some of the tools."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<string>")]
    | Annotated[
        Annotated[NamedTool, Tag("<function>")]
        | Annotated[AllowedToolsChoice, Tag("<allowed>")]
        | Annotated[PlainChoice, Tag("<plain>")],
        field_discriminator("type", {"function": "<function>", "allowed_tools": "<allowed>", **PLAIN_CHOICES}),
        Tag("<object>"),
    ],
    json_type_discriminator("a string or an object"),
]
FunctionChoice = Annotated[
    Annotated[Literal["none", "auto"], Tag("<string>")] | Annotated[FunctionByName, Tag("<object>")],
    json_type_discriminator("a string or an object"),
]


# --- The request -----------------------------------------------------------------------------------------------------


class StreamOptions(RequestModel):
    """Whether a stream ends with the usage, and whether it is padded."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(RequestModel):
    """A schema with a name."""

    name: SchemaName
    description: str | None = None
    content: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class JsonSchemaFormat(RequestModel):
    """The answer is JSON that fits a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat: TypeAlias = Annotated[
    Annotated[TextFormat, Tag("<text>")]
    | Annotated[JsonObjectFormat, Tag("<json_object>")]
    | Annotated[JsonSchemaFormat, Tag("<json_schema>")],
    field_discriminator("type", {"text": "<text>", "json_object": "<json_object>", "json_schema": "<json_schema>"}),
]


class Reasoning(RequestModel):
    """OpenRouter's parameter for thinking (its reference: Reasoning tokens)."""

    effort: Effort | None = None
    enabled: bool | None = None
    exclude: bool | None = None


Penalty = Annotated[float, Field(ge=-2, le=2)]
Stop = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[str], Field(max_length=4, fail_fast=True), Tag("<list>")],
    json_type_discriminator("a string or an array of strings"),
]


class ChatCompletionRequest(CompletionFields, CurrentFields):
    """A request. The table in `protocols.chat_completions.parameters` states how each field is treated."""

    messages: Annotated[list[Message], Field(min_length=1, fail_fast=True)]
    audio: Object | None = None
    function_call: FunctionChoice | None = None
    functions: Annotated[list[Function], Field(max_length=MOST_TOOLS, fail_fast=True)] | None = None
    logprobs: bool | None = None
    max_completion_tokens: TokenLimit | None = None
    metadata: Metadata | None = None
    modalities: Annotated[list[Literal["text", "audio"]], Field(fail_fast=True)] | None = None
    prediction: Object | None = None
    include_reasoning: bool | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: Effort | None = None
    response_format: ResponseFormat | None = None
    store: bool | None = None
    stream_options: StreamOptions | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS, fail_fast=True)] | None = None
    verbosity: str | None = None
    web_search_options: Object | None = None


# --- Replies ---------------------------------------------------------------------------------------------------------


class PromptTokensDetails(Reply):
    """The prompt's tokens that were read from the cache, and written to it."""

    cached_tokens: int
    cache_write_tokens: int


class CompletionTokensDetails(Reply):
    """The answer's tokens that were spent on thinking."""

    reasoning_tokens: int


class CompletionUsage(Reply):
    """Tokens of one request and its answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class ClaudeActivity(Reply):
    """Claude Code's use of one of its own tools: the call or, with a `status`, its result."""

    call_id: str
    tool: str
    arguments: str
    status: Literal["done", "failed"] | None = None
    result: str | None = None
    parent_call_id: str | None = None


class ClaudeExtension(Reply):
    """This server's extension: the model that answered, Claude Code's session, its figure of the cost, the limit of the
    request that ended the answer, and the uses of Claude Code's own tools, if the client asked for them.
    """

    session_id: str
    model: str
    cost_usd: float | None
    limit: Literal["max_turns", "max_budget_usd"] | None = None
    activity: list[ClaudeActivity] | None = None


class CalledFunction(Reply):
    """The function that the model calls; `arguments` is JSON text."""

    name: str
    arguments: str


class CalledTool(ReplyWithConstants):
    """One call of the answer."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class ResponseMessage(ReplyWithConstants):
    """The answer. The key `refusal` is always there, and may be null; the keys of calls only where there are calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning_content: str | None = None
    refusal: str | None
    tool_calls: list[CalledTool] | None = None
    function_call: CalledFunction | None = None


class Choice(Reply):
    """An answer of a completion."""

    index: int
    message: ResponseMessage
    logprobs: None
    finish_reason: FinishReason


class ChatCompletion(ReplyWithConstants):
    """An answer as one object."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None = None
    claude: ClaudeExtension | None = None


class FunctionDelta(Reply):
    """A piece of a call. Only the first has the name."""

    name: str | None = None
    arguments: str


class ToolDelta(Reply):
    """A piece of the call `index`. Only the first has its id and type."""

    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionDelta


class Delta(Reply):
    """A piece of the answer. Only the first has the role."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolDelta] | None = None
    function_call: FunctionDelta | None = None


class ChunkChoice(Reply):
    """A piece of an answer; `finish_reason` is null until the answer is complete."""

    index: int
    delta: Delta
    logprobs: None
    finish_reason: FinishReason | None


class ChatCompletionChunk(ReplyWithConstants):
    """One event of a stream. If the client asks for usage, all chunks have that key, and a last one without choices has
    the numbers.

    A chunk with `claude_activity` is an event named `ACTIVITY_EVENT`. For a client that ignores names it is a chunk
    with an empty delta.
    """

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: CompletionUsage | None = None
    claude: ClaudeExtension | None = None
    claude_activity: ClaudeActivity | None = None

    @property
    def event_name(self) -> str | None:
        """The name of this chunk's server-sent event; None for most."""
        return ACTIVITY_EVENT if self.claude_activity else None
