"""The request body of `POST /v1/responses` (OpenAI reference: Create a model response).

`protocols.common.wire.request_base` explains strictness, unknown fields and the tags of unions. Of tools
that Claude cannot get only the type is parsed, so that they are refused by name; items of OpenAI's own tools are kept
unchanged.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag

from claude_openai.protocols.common.shared_parameters import CurrentFields
from claude_openai.protocols.common.wire import request_base as common
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
    TokenLimit,
    field_discriminator,
    json_type_discriminator,
    tag_of,
)

# --- Content ---------------------------------------------------------------------------------------------------------


class TextPart(Text):
    """A piece of text: of the user (`input_text`), of an earlier answer (`output_text`), or of either (`text`)."""

    echoed = frozenset({"annotations", "logprobs", "parsed"})

    type: Literal["input_text", "output_text", "text"]


class ImagePart(common.Part):
    """An image, as a data URI or an http(s) URL."""

    type: Literal["input_image"]
    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class FilePart(common.Part):
    """A file, inline as `file_data`."""

    type: Literal["input_file"]
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


Part = Annotated[
    Annotated[TextPart, Tag("<text>")]
    | Annotated[RefusalPart, Tag("<refusal>")]
    | Annotated[ImagePart, Tag("<image>")]
    | Annotated[FilePart, Tag("<file>")]
    | Annotated[AudioPart, Tag("<audio>")],
    field_discriminator(
        "type",
        {
            "input_text": "<text>",
            "input_image": "<image>",
            "input_file": "<file>",
            "output_text": "<text>",
            "refusal": "<refusal>",
            "text": "<text>",
            "input_audio": "<audio>",
        },
    ),
]
Content = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[Part], Field(fail_fast=True), Tag("<list>")],
    json_type_discriminator("a string or an array of content parts"),
]


# --- Items -----------------------------------------------------------------------------------------------------------


class MessageItem(RequestModel):
    """A message. Clients may omit `type`."""

    echoed = frozenset({"id", "status", "phase"})

    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: Content


class FunctionCallItem(RequestModel):
    """An earlier call; `arguments` is JSON text."""

    echoed = frozenset({"id", "status", "parsed_arguments", "namespace"})

    type: Literal["function_call"]
    call_id: str
    name: FunctionName
    arguments: str


class FunctionCallOutputItem(RequestModel):
    """The result of a call."""

    echoed = frozenset({"id", "status"})

    type: Literal["function_call_output"]
    call_id: str
    output: Content


class ReasoningItem(RequestModel):
    """Thinking of an earlier answer."""

    echoed = frozenset({"id", "status", "summary", "content", "encrypted_content"})

    type: Literal["reasoning"]


class ItemReference(RequestModel):
    """A reference to an item of a stored response."""

    type: Literal["item_reference"]
    id: Annotated[str, Field(max_length=200)]


class OtherItem(RequestModel):
    """An item of one of OpenAI's own tools, or of an unknown type, with all its fields."""

    opaque = True

    model_config = ConfigDict(extra="allow")

    type: str

    @property
    def fields(self) -> Mapping[str, object]:
        """All fields except the type."""
        return self.model_extra or {}


def _item_tag(value: object) -> str | None:
    match tag_of(value, "type"):
        case None:
            return "<message>" if isinstance(value, dict) and "role" in value else None
        case "message" | "function_call" | "function_call_output" | "reasoning" | "item_reference" as known:
            return f"<{known}>"
        case _:
            return "<other>"


Item = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[FunctionCallItem, Tag("<function_call>")]
    | Annotated[FunctionCallOutputItem, Tag("<function_call_output>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[ItemReference, Tag("<item_reference>")]
    | Annotated[OtherItem, Tag("<other>")],
    Discriminator(
        _item_tag,
        custom_error_type="unknown_type",
        custom_error_message="'message', 'function_call', 'function_call_output', 'reasoning'",
    ),
]
Input = Annotated[
    Annotated[str, Tag("<string>")] | Annotated[list[Item], Field(fail_fast=True), Tag("<list>")],
    json_type_discriminator("a string or an array of items"),
]


# --- Tools -----------------------------------------------------------------------------------------------------------


class FunctionTool(Function):
    """A function as a tool."""

    type: Literal["function"]


class OtherTool(RequestModel):
    """A tool of a type that is not supported."""

    opaque = True

    type: str


def _tool_tag(value: object) -> str | None:
    found = tag_of(value, "type")
    if found is None:
        return None
    return "<function>" if found == "function" else "<other>"


Tool = Annotated[
    Annotated[FunctionTool, Tag("<function>")] | Annotated[OtherTool, Tag("<other>")],
    Discriminator(_tool_tag, custom_error_type="unknown_type", custom_error_message="'function'"),
]


class NamedTool(RequestModel):
    """One of the functions, as a choice or in a list of allowed tools."""

    type: Literal["function"]
    name: str


class AllowedTools(RequestModel):
    """The choice that restricts the model to some of the functions."""

    type: Literal["allowed_tools"]
    mode: Literal["auto", "required"]
    tools: Annotated[list[NamedTool], Field(fail_fast=True)]


ToolChoice = Annotated[
    Annotated[Literal["none", "auto", "required"], Tag("<string>")]
    | Annotated[
        Annotated[NamedTool, Tag("<function>")]
        | Annotated[AllowedTools, Tag("<allowed>")]
        | Annotated[PlainChoice, Tag("<plain>")],
        field_discriminator("type", {"function": "<function>", "allowed_tools": "<allowed>", **PLAIN_CHOICES}),
        Tag("<object>"),
    ],
    json_type_discriminator("a string or an object"),
]


# --- The request -----------------------------------------------------------------------------------------------------


class JsonSchemaFormat(RequestModel):
    """The answer is JSON that fits a schema."""

    type: Literal["json_schema"]
    name: SchemaName
    description: str | None = None
    content: dict[str, Any] = Field(alias="schema")
    strict: bool | None = None


TextFormat: TypeAlias = Annotated[
    Annotated[common.TextFormat, Tag("<text>")]
    | Annotated[JsonObjectFormat, Tag("<json_object>")]
    | Annotated[JsonSchemaFormat, Tag("<json_schema>")],
    field_discriminator("type", {"text": "<text>", "json_object": "<json_object>", "json_schema": "<json_schema>"}),
]


class TextConfig(RequestModel):
    """The form of the answer's text."""

    format: TextFormat | None = None
    verbosity: str | None = None


Summary = Literal["auto", "concise", "detailed"]


class Reasoning(RequestModel):
    """How much the model thinks, and whether the answer shows it."""

    effort: Effort | None = None
    summary: Summary | None = None
    generate_summary: Summary | None = None
    context: str | None = None
    mode: str | None = None


class StreamOptions(RequestModel):
    """Whether a stream is padded."""

    include_obfuscation: bool | None = None


class ResponsesRequest(CurrentFields):
    """A request. The table in `protocols.responses.parameters` states how each field is treated."""

    input: Input | None = None
    access_programs: Object | None = None
    background: bool | None = None
    background_options: Object | None = None
    context_management: Annotated[list[Object], Field(fail_fast=True)] | None = None
    conversation: object | None = None
    image: Object | None = None
    include: Annotated[list[str], Field(fail_fast=True)] | None = None
    instructions: str | None = None
    max_output_tokens: TokenLimit | None = None
    max_tool_calls: Annotated[int, Field(ge=1)] | None = None
    metadata: Metadata | None = None
    previous_response_id: str | None = None
    prompt: Object | None = None
    reasoning: Reasoning | None = None
    store: bool | None = None
    stream_options: StreamOptions | None = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: Annotated[list[Tool], Field(max_length=MOST_TOOLS, fail_fast=True)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
