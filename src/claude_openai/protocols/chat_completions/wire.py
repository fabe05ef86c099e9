"""`POST /v1/chat/completions`: what a client may send and what it gets (OpenAI reference: Create chat completion).

Types are strict, as documented. What a client adds is tolerated and reported (`unknown_fields`).

The arms of a union are tagged `<name>`. No JSON key of the protocol looks like that, so a tag within the location of
a validation error is told from the path to the fault.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, Tag

from claude_openai.protocols.common.wire import request as sent
from claude_openai.protocols.common.wire.claude import ClaudeOptions
from claude_openai.protocols.common.wire.reply import Reply
from claude_openai.protocols.common.wire.request import (
    PLAIN_CHOICES,
    AudioPart,
    Effort,
    FunctionName,
    Object,
    PlainChoice,
    RefusalPart,
    RequestModel,
    SchemaName,
    SentWhole,
    Text,
    kind,
    shape,
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


class ImagePart(sent.Part):
    """An image; in user messages and tool results."""

    type: Literal["image_url"]
    image_url: ImageSource


class FileSource(RequestModel):
    """A file, inline as `file_data` or uploaded earlier as `file_id`."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(sent.Part):
    """A file; user messages only."""

    type: Literal["file"]
    file: FileSource


Part = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[ImagePart, Tag("<image>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[AudioPart, Tag("<audio>")],
    kind(
        "type",
        {"text": "<text>", "image_url": "<image>", "file": "<file>", "refusal": "<refusal>", "input_audio": "<audio>"},
    ),
]
Content = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[Part], Field(fail_fast=True), Tag("<list>")],
    shape("a string or an array of content parts"),
]


# --- Messages --------------------------------------------------------------------------------------------------------


class FunctionCall(RequestModel):
    """Which function was called, with `arguments` as JSON text."""

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
    """Which custom tool was called, and with what text."""

    name: str
    input: str


class CustomToolCall(RequestModel):
    """One call of an earlier answer by another model: of a tool that takes any text."""

    id: str
    type: Literal["custom"]
    custom: CustomInput


EarlierCall = Annotated[
    Annotated[ToolCall, Tag("<function>")] | Annotated[CustomToolCall, Tag("<custom>")],
    kind("type", {"function": "<function>", "custom": "<custom>"}, absent="<function>"),
]


class SystemMessage(RequestModel):
    """Instructions, under OpenAI's old role name or its new one."""

    role: Literal["system", "developer"]
    content: Content
    name: str | None = None


class UserMessage(RequestModel):
    """What the user said."""

    role: Literal["user"]
    content: Content
    name: str | None = None


class AssistantMessage(RequestModel):
    """An earlier answer."""

    # OpenAI's answers have these, or those of its Python package (`parsed`), of LiteLLM, OpenRouter and Gemini.
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

    # The function's name, as clients sent it before `tool_call_id` was enough.
    echoed = frozenset({"name"})

    role: Literal["tool"]
    content: Content | None = None
    tool_call_id: str


class FunctionMessage(RequestModel):
    """The result of a call of the time before tools, which had no ids."""

    role: Literal["function"]
    content: Content | None = None
    name: FunctionName


Message = Annotated[
    Annotated[SystemMessage, Tag("<system>")]
    | Annotated[UserMessage, Tag("<user>")]
    | Annotated[AssistantMessage, Tag("<assistant>")]
    | Annotated[ToolMessage, Tag("<tool>")]
    | Annotated[FunctionMessage, Tag("<function>")],
    kind(
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

MOST_TOOLS = 128
"""As many as OpenAI takes."""


class Function(RequestModel):
    """What the model may call. Without `parameters` it takes none."""

    name: str
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class Tool(RequestModel):
    """A function as a tool, the one kind that there is here."""

    type: Literal["function"]
    function: Function


class FunctionByName(RequestModel):
    """One of the functions."""

    name: str


class NamedTool(RequestModel):
    """One of the tools, that the model must call or may."""

    type: Literal["function"]
    function: FunctionByName


class AllowedTools(RequestModel):
    """Some of the tools, and whether the model must call one of them."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Field(fail_fast=True)]


class AllowedToolsChoice(RequestModel):
    """The model is to know some of the tools only."""

    type: Literal["allowed_tools"]
    allowed_tools: AllowedTools


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<string>")]
    | Annotated[
        Annotated[NamedTool, Tag("<function>")]
        | Annotated[AllowedToolsChoice, Tag("<allowed>")]
        | Annotated[PlainChoice, Tag("<plain>")],
        kind("type", {"function": "<function>", "allowed_tools": "<allowed>", **PLAIN_CHOICES}),
        Tag("<object>"),
    ],
    shape("a string or an object"),
]
FunctionChoice = Annotated[
    Annotated[Literal["none", "auto"], Tag("<string>")] | Annotated[FunctionByName, Tag("<object>")],
    shape("a string or an object"),
]


# --- The request -----------------------------------------------------------------------------------------------------


class StreamOptions(RequestModel):
    """How a stream ends, and whether it is padded."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class JsonSchema(RequestModel):
    """A schema with a name."""

    name: SchemaName
    description: str | None = None
    content: dict[str, Any] | None = Field(None, alias="schema")
    strict: bool | None = None


class TextFormat(RequestModel):
    """The answer may be any text."""

    type: Literal["text"]


class JsonObjectFormat(RequestModel):
    """The answer is a JSON object; in the dialect of llama.cpp, Together and Anyscale one that fits a schema."""

    type: Literal["json_object"]
    content: dict[str, Any] | None = Field(None, alias="schema")


class JsonSchemaFormat(RequestModel):
    """The answer is JSON that fits a schema."""

    type: Literal["json_schema"]
    json_schema: JsonSchema


ResponseFormat: TypeAlias = Annotated[
    Annotated[TextFormat, Tag("<text>")]
    | Annotated[JsonObjectFormat, Tag("<json_object>")]
    | Annotated[JsonSchemaFormat, Tag("<json_schema>")],
    kind("type", {"text": "<text>", "json_object": "<json_object>", "json_schema": "<json_schema>"}),
]


class Reasoning(RequestModel):
    """How the model is to think, as OpenRouter's clients say it (its reference: Reasoning tokens)."""

    effort: Effort | None = None
    enabled: bool | None = None
    exclude: bool | None = None


Penalty = Annotated[float, Field(ge=-2, le=2)]
TokenLimit = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ChatCompletionRequest(SentWhole):
    """A request. What becomes of each field is the table of `protocols.chat_completions.parameters`."""

    messages: Annotated[list[Message], Field(min_length=1, fail_fast=True)]
    model: str | None = None
    audio: Object | None = None
    claude: ClaudeOptions | None = None
    frequency_penalty: Penalty | None = None
    function_call: FunctionChoice | None = None
    functions: Annotated[list[Function], Field(max_length=MOST_TOOLS, fail_fast=True)] | None = None
    logit_bias: dict[str, int] | None = None
    logprobs: bool | None = None
    max_completion_tokens: TokenLimit | None = None
    max_tokens: TokenLimit | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]], Field(max_length=16)
        ]
        | None
    ) = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: Object | None = None
    n: Annotated[int, Field(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: Object | None = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    prompt_cache_retention: str | None = None
    include_reasoning: bool | None = None
    reasoning: Reasoning | None = None
    reasoning_effort: Effort | None = None
    response_format: ResponseFormat | None = None
    safety_identifier: str | None = None
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    service_tier: str | None = None
    stop: (
        Annotated[
            Annotated[str, Tag("<string>")] | Annotated[list[str], Field(max_length=4), Tag("<list>")],
            shape("a string or an array of strings"),
        ]
        | None
    ) = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS, fail_fast=True)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    user: str | None = None
    verbosity: str | None = None
    web_search_options: Object | None = None


# --- Replies ---------------------------------------------------------------------------------------------------------


class PromptTokensDetails(Reply):
    """What became of the prompt's tokens at the cache."""

    cached_tokens: int
    cache_write_tokens: int


class CompletionTokensDetails(Reply):
    """What the answer's tokens were spent on."""

    reasoning_tokens: int


class CompletionUsage(Reply):
    """Tokens of one request and its answer."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptTokensDetails
    completion_tokens_details: CompletionTokensDetails


class ClaudeActivity(Reply):
    """Claude Code's use of one of its own tools: the call, or, with a `status`, what came of it."""

    call_id: str
    tool: str
    arguments: str
    status: Literal["done", "failed"] | None = None
    result: str | None = None
    parent_call_id: str | None = None


class ClaudeExtension(Reply):
    """What this server adds: the model that answered, Claude Code's session, its own figure of the cost, which limit of
    the request's ended the answer, and what Claude Code did with its own tools, where that was asked for.
    """

    session_id: str
    model: str
    cost_usd: float | None
    limit: Literal["max_turns", "max_budget_usd"] | None = None
    activity: list[ClaudeActivity] | None = None


class CalledFunction(Reply):
    """The function that the model calls, with `arguments` as JSON text."""

    name: str
    arguments: str


class CalledTool(Reply):
    """One call of the answer."""

    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class ResponseMessage(Reply):
    """The answer. `refusal` is always a key, a null where there was none; the calls are no key where there are none."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    reasoning_content: str | None = None
    refusal: str | None
    tool_calls: list[CalledTool] | None = None
    function_call: CalledFunction | None = None


class Choice(Reply):
    """An answer of a completion."""

    index: int = 0
    message: ResponseMessage
    logprobs: None
    finish_reason: FinishReason


class ChatCompletion(Reply):
    """An answer as one object."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: CompletionUsage | None = None
    claude: ClaudeExtension | None = None


class FunctionDelta(Reply):
    """A piece of a call. The first has the name, and only the first."""

    name: str | None = None
    arguments: str


class ToolDelta(Reply):
    """A piece of the call `index`. The first has its id and type, and only the first."""

    index: int
    id: str | None = None
    type: Literal["function"] | None = None
    function: FunctionDelta


class Delta(Reply):
    """A piece of the answer. The first has the role, and only the first."""

    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolDelta] | None = None
    function_call: FunctionDelta | None = None


class ChunkChoice(Reply):
    """A piece of an answer; `finish_reason` is null until that is complete."""

    index: int = 0
    delta: Delta
    logprobs: None
    finish_reason: FinishReason | None


class ChatCompletionChunk(Reply):
    """One event of a stream. Asked for usage, all chunks have the key, and one without choices has the numbers.

    One with `claude_activity` is an event of that name (`ACTIVITY_EVENT`). For a client that does not look at names it
    is a chunk that says nothing.
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
        """Of the event that it is, where that has a name."""
        return ACTIVITY_EVENT if self.claude_activity else None
