"""The base of all requests: how strict they are, and how pydantic chooses the arm of a union.

Types are strict, as documented. Unknown fields are accepted and not parsed; the request keeps their paths, so that they
can be reported.

The arms of a union are tagged `<name>`. No JSON key of the protocols looks like that, so a tag in the location of a
validation error can be distinguished from a key.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, PrivateAttr
from pydantic_core import PydanticKnownError

Object = dict[str, object]
"""An object that is accepted or refused as a whole, never read."""

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How much the model should think."""

MOST_METADATA: Final = 16
"""Entries, as OpenAI has it."""


def _few(value: object) -> object:
    """Refuses too many entries before pydantic validates all of them: 400,000 take it 230 ms, in which no other thread
    runs (measured).
    """
    if isinstance(value, dict) and len(value) > MOST_METADATA:
        context = {"field_type": "Dictionary", "max_length": MOST_METADATA, "actual_length": len(value)}
        raise PydanticKnownError("too_long", context)
    return value


Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=MOST_METADATA),
    BeforeValidator(_few),
]
TokenLimit = Annotated[int, Field(ge=1, le=2**31 - 1)]

MOST_TOOLS: Final = 128
"""OpenAI's limit."""

SchemaName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
"""The name of a response format."""


class RequestModel(BaseModel):
    """A part of a request.

    `echoed` names fields that requests do not have and that clients send back because an answer had them: they have no
    meaning. A model that is `opaque` is refused by its type, or carried as a whole, so its fields are not checked.
    """

    echoed: ClassVar[frozenset[str]] = frozenset()
    opaque: ClassVar[bool] = False

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class RequestBody(RequestModel):
    """A whole request, with the paths of the unknown fields in it."""

    _unknown: tuple[str, ...] = PrivateAttr(())

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """The paths of the fields that OpenAI's reference does not have, in the client's order."""
        return self._unknown

    def set_unknown_fields(self, unknown: tuple[str, ...]) -> None:
        """Set `unknown_fields`, once the body is parsed."""
        self._unknown = unknown


class Part(RequestModel):
    """A part of a message. OpenAI accepts `prompt_cache_breakpoint` on every part."""

    prompt_cache_breakpoint: Object | None = None


class Text(Part):
    """A piece of text; its `type` depends on the protocol."""

    type: str
    text: str


class RefusalPart(RequestModel):
    """A piece of an earlier refusal."""

    type: Literal["refusal"]
    refusal: str


class AudioPart(RequestModel):
    """Recorded speech."""

    opaque = True

    type: Literal["input_audio"]


FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
"""The names of tools that both OpenAI and the Messages API accept."""


class Function(RequestModel):
    """A function that the model may call; without `parameters` it has none."""

    name: str
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class TextFormat(RequestModel):
    """The answer is any text."""

    type: Literal["text"]


class JsonObjectFormat(RequestModel):
    """The answer is a JSON object; llama.cpp, Together and Anyscale add a schema for it."""

    type: Literal["json_object"]
    content: dict[str, Any] | None = Field(None, alias="schema")


class PlainChoice(RequestModel):
    """A tool choice without a name, as an object. This is Anthropic's form, which clients of several providers send;
    its `any` is OpenAI's `required`.
    """

    type: Literal["none", "auto", "required", "any"]

    @property
    def word(self) -> Literal["none", "auto", "required"]:
        """The choice in OpenAI's form."""
        return "required" if self.type == "any" else self.type


PLAIN_CHOICES: Final = dict.fromkeys(("auto", "none", "required", "any"), "<plain>")
"""The tags of `PlainChoice` for `field_discriminator`."""


def field_discriminator(field: str, tags: Mapping[str, str], absent: str | None = None) -> Discriminator:
    """Chooses the arm of a union of objects by the text of `field`; `absent` if that is not a text. The error's message
    lists the supported values.
    """

    def tag(value: object) -> str | None:
        found = tag_of(value, field)
        return absent if found is None else tags.get(found)

    supported = ", ".join(f"'{each}'" for each in tags)
    return Discriminator(tag, custom_error_type=f"unknown_{field}", custom_error_message=supported)


def tag_of(value: object, field: str) -> str | None:
    """The text of `field` in a client's JSON; or in a model, which pydantic asks about when it serializes one."""
    found = value.get(field) if isinstance(value, dict) else getattr(value, field, None)
    return found if isinstance(found, str) else None


def json_type_discriminator(expected: str) -> Discriminator:
    """Chooses the arm of a union by JSON type: string, list or object. The error's message is `expected`."""
    return Discriminator(_shape_tag, custom_error_type="wrong_shape", custom_error_message=expected)


def _shape_tag(value: object) -> str | None:
    match value:
        case str():
            return "<string>"
        case list():
            return "<list>"
        case dict() | BaseModel():
            return "<object>"
        case _:
            return None
