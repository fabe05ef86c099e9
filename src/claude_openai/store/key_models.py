"""The models of the file of named keys. They take 20 ms to build, so they are loaded where there is such a file."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from claude_openai.core.keys import KeyOwner, StoredKey, StoredNames, is_name
from claude_openai.core.limits import NO_LIMITS, KeyLimits


class _Key(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    created_at: float


class _Owner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    keys: list[_Key] = []
    operator: bool = False
    limits: KeyLimits = NO_LIMITS

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        if any(isinstance(number, int | float) and number <= 0 for number in self.limits.given.values()):
            raise ValueError("a limit is above 0")
        return self


class KeyFileContent(BaseModel):
    """The whole file, as JSON."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    names: dict[str, _Owner] = {}

    @classmethod
    def of(cls, names: Mapping[str, KeyOwner]) -> Self:
        """The file with these names."""
        return cls(
            names={
                name: _Owner(
                    keys=[_Key(sha256=key.digest.hex(), created_at=key.created_at) for key in owner.keys],
                    operator=owner.is_operator,
                    limits=owner.limits,
                )
                for name, owner in names.items()
            }
        )

    def owners(self) -> StoredNames:
        """The names in it."""
        return {
            name: KeyOwner(
                name,
                tuple(StoredKey(bytes.fromhex(key.sha256), key.created_at) for key in owner.keys),
                owner.operator,
                owner.limits,
            )
            for name, owner in self.names.items()
            if is_name(name)
        }
