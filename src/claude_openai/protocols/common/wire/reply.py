"""The base of every reply: which of its keys are on the wire, and how it is serialized."""

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict


class Reply(BaseModel):
    """A part of a reply. A None that was given is a null on the wire; a None by default is no key at all.

    A class with any other default is a `ReplyWithConstants`.
    """

    model_config = ConfigDict(frozen=True)

    _constants: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        fields = cls.model_fields.items()
        cls._constants = frozenset(name for name, each in fields if not each.is_required() and each.default is not None)
        if cls._constants and not issubclass(cls, ReplyWithConstants):
            raise TypeError(f"{cls.__name__} has constants, so it must be a ReplyWithConstants")

    def to_json(self) -> str:
        """This reply as one line of JSON.

        The line separators that JSON may leave bare are escaped: many clients cut a stream with `str.splitlines`.
        """
        return escape_line_separators(self.model_dump_json(exclude_unset=True))

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """The keys that are on the wire; `options` are pydantic's."""
        return super().model_dump(**{"exclude_unset": True, **options})


class ReplyWithConstants(Reply):
    """A reply some of whose keys have a value by default, such as `object`; they are always on the wire.

    They are a class of their own because pydantic calls Python code for each instance, which a text delta need not pay.
    """

    def model_post_init(self, _: object) -> None:
        self.model_fields_set.update(self._constants)


def escape_line_separators(line: str) -> str:
    """Return the JSON `line` with the line separators escaped that JSON may leave bare."""
    if line.isascii():
        return line
    return line.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
