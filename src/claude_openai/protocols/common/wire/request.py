"""What the requests of all endpoints have in common: how strict they are, and how the arms of a union are told apart.

Types are strict, as documented. What a client adds is tolerated: it is no part of what was read, and its path is
remembered with the request, so that it can be reported.

The arms of a union are tagged `<name>`. No JSON key of the protocols looks like that, so a tag within the location of
a validation error is told from the path to the fault.
"""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, PrivateAttr

Object = dict[str, object]
"""An object that is accepted or refused as a whole, never read."""

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How hard the model is to think."""


SchemaName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
"""What a response format is called."""


class RequestModel(BaseModel):
    """A part of a request.

    `echoed` names the fields that no request has, and that clients send back because an answer had them: they ask for
    nothing. A model that is `opaque` is refused by its type, or carried as a whole, so its fields are not looked at.
    """

    echoed: ClassVar[frozenset[str]] = frozenset()
    opaque: ClassVar[bool] = False

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


class SentWhole(RequestModel):
    """A whole request, which remembers what else was in it."""

    _unknown: tuple[str, ...] = PrivateAttr(())

    @property
    def unknown_fields(self) -> tuple[str, ...]:
        """The paths of the fields that OpenAI's reference does not have, in the order sent."""
        return self._unknown

    def remember(self, unknown: tuple[str, ...]) -> None:
        """Those of the body that it was read from."""
        self._unknown = unknown


class Part(RequestModel):
    """A part of a message. `prompt_cache_breakpoint` is OpenAI's, and accepted on every part."""

    prompt_cache_breakpoint: Object | None = None


class Text(Part):
    """A piece of text. Which kinds there are is the protocol's."""

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
"""What both OpenAI and the Messages API accept as the name of a tool."""


class PlainChoice(RequestModel):
    """A choice among the tools that names none, as an object. That is Anthropic's form, which clients of several
    providers send; its `any` is OpenAI's `required`.
    """

    type: Literal["none", "auto", "required", "any"]

    @property
    def word(self) -> Literal["none", "auto", "required"]:
        """The same in OpenAI's form."""
        return "required" if self.type == "any" else self.type


PLAIN_CHOICES: Final = dict.fromkeys(("auto", "none", "required", "any"), "<plain>")
"""For `kind`."""


def kind(field: str, tags: Mapping[str, str], absent: str | None = None) -> Discriminator:
    """Tells the arms of a union of objects by the value of `field`, or `absent` where it has no text. The error's
    message is what it may be.
    """

    def tag(value: object) -> str | None:
        found = tag_of(value, field)
        return absent if found is None else tags.get(found)

    supported = ", ".join(f"'{each}'" for each in tags)
    return Discriminator(tag, custom_error_type=f"unknown_{field}", custom_error_message=supported)


def tag_of(value: object, field: str) -> str | None:
    """The text at `field` of what was sent, or of what was made of it, which is asked for when it is told back."""
    found = value.get(field) if isinstance(value, dict) else getattr(value, field, None)
    return found if isinstance(found, str) else None


def shape(expected: str) -> Discriminator:
    """Tells a string, a list and an object apart. The error's message is `expected`, which names them for people."""
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
