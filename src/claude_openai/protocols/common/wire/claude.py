"""The `claude` object of a request, an extension of this server that is the same for all endpoints."""

from itertools import islice
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from claude_openai.protocols.common.wire.request_base import RequestModel

MOST_RULES = 128
"""Rules for tools. With the longest `Rule`s they stay far below the limit of a command line."""

_MOST_FIELDS = 32
"""Fields that are validated: more than there are, so a longer object has an unknown one among them and is refused.
pydantic reports each of 400,000 unknown ones, for 750 ms in which no other thread runs (measured)."""

Path = Annotated[str, Field(min_length=1, max_length=4096)]
Rule = Annotated[str, Field(max_length=256, pattern=r"^[A-Za-z_][^\x00-\x1f]*$")]
Rules = Annotated[list[Rule], Field(max_length=MOST_RULES, fail_fast=True)]


class ClaudeOptions(RequestModel):
    """Options of Claude Code. An unknown field is refused: it might be a misspelt restriction."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["chat", "agent"] | None = None
    working_directory: Path | None = Field(None, validation_alias="workingDirectory")
    permission_mode: Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"] | None = Field(
        None, validation_alias="permissionMode"
    )
    allowed_tools: Rules | None = Field(None, validation_alias="allowedTools")
    disallowed_tools: Rules | None = Field(None, validation_alias="disallowedTools")
    add_dirs: Annotated[list[Path], Field(max_length=16, fail_fast=True)] | None = Field(
        None, validation_alias="addDirs"
    )
    setting_sources: (
        Annotated[list[Literal["user", "project", "local"]], Field(max_length=3, fail_fast=True)] | None
    ) = Field(None, validation_alias="settingSources")
    max_turns: Annotated[int, Field(ge=1, le=10_000)] | None = Field(None, validation_alias="maxTurns")
    max_budget_usd: Annotated[float, Field(ge=0.000_001, le=100_000)] | None = Field(
        None, validation_alias="maxBudgetUsd"
    )
    show_activity: Literal["reasoning", "events", True, False] | None = Field(None, validation_alias="showActivity")

    @model_validator(mode="before")
    @classmethod
    def _few(cls, value: object) -> object:
        return dict(islice(value.items(), _MOST_FIELDS)) if isinstance(value, dict) else value
