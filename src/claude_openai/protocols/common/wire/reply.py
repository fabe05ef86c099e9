"""What every reply has in common: which of its keys are on the wire, and how it becomes text."""

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer


class Reply(BaseModel):
    """A part of a reply. A None that was given is a null on the wire; a None by default is no key at all."""

    model_config = ConfigDict(frozen=True)

    def to_json(self) -> str:
        """This reply as one line of JSON.

        The line separators that JSON may leave bare are escaped: many clients cut a stream with `str.splitlines`.
        """
        line = self.model_dump_json()
        if line.isascii():
            return line
        return line.replace("\x85", "\\u0085").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

    @model_serializer(mode="wrap")
    def _keys_given(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        given = self.model_fields_set
        return {key: value for key, value in serialize(self).items() if value is not None or key in given}
