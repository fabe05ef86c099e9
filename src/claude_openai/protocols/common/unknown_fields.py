"""Finds the fields of a request that its protocol does not have, at every depth, so that their paths can be reported.

Fields that clients send back because an answer had them have no meaning: `echoed` of their model names them.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final
from urllib.parse import quote

from pydantic import BaseModel

from claude_openai.jsontools.work_limit import spend
from claude_openai.protocols.common.wire.request_base import RequestModel

LONGEST_NAME: Final = 64
"""Characters of a field's name that are reported, since a header has a bounded length."""


def unknown_fields(sent: Mapping[str, object], read: BaseModel) -> tuple[str, ...]:
    """The paths of the fields of `sent` that the request `read`, parsed from it, does not have; each once, fit for a
    header.

    `tools[].cache_control` stands for all tools. A field that is null has no meaning.
    """
    return tuple(dict.fromkeys(_within(sent, read, "")))


def _within(value: object, read: object, path: str) -> Iterator[str]:
    match value, read:
        case dict(), RequestModel() if not read.opaque:
            spend()
            known = _names(type(read))
            for key, each in value.items():
                if key in known:
                    yield from _within(each, getattr(read, known[key]), f"{path}.{key}" if path else key)
                elif each is not None and key not in read.echoed:
                    name = quote(key[:LONGEST_NAME], safe="", errors="replace")
                    yield f"{path}.{name}" if path else name
        case list(), list():
            for each, one in zip(value, read, strict=False):
                yield from _within(each, one, f"{path}[]")
        case _:
            pass


@cache
def _names(shape: type[BaseModel]) -> Mapping[str, str]:
    """The attribute of each field of `shape`, by the field's name on the wire."""
    fields = shape.model_fields.items()
    return {str(field.validation_alias or field.alias or name): name for name, field in fields}
