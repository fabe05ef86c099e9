"""Schemas that Claude Code's own check does not know: the model has its tool all the same."""

import json
from typing import Annotated, Literal

import anyio
import openai
import pytest
from pydantic import BaseModel, Field

from claude_openai.simulator import Replies, Reply, ToolUse
from tests.claude_code.conftest import NEW_MODEL, Rig
from tests.patience import PATIENCE_SECONDS


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    seen: tuple[str, int]


class Pets(BaseModel):
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]
    code: Annotated[str, Field(pattern=r"(?P<kind>[A-Z])\d+")]


FORM = {"type": "json_schema", "json_schema": {"name": "pets", "schema": Pets.model_json_schema()}}


@pytest.mark.proves("format.every-schema", "format.fits")
@pytest.mark.parametrize("history", [[], [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?"}]])
async def test_what_claude_code_does_not_know_is_told_to_the_model_and_checked_here(
    rig: Rig, history: list[dict[str, str]]
) -> None:
    pets = {"pets": [{"kind": "dog", "seen": ["Rex", 2]}], "code": "D1"}
    rig.plays(Replies(Reply((ToolUse("StructuredOutput", pets),))))
    messages = [*history, {"role": "user", "content": "Which pets?"}]
    assert json.loads(await rig.said(None, messages=messages, response_format=FORM) or "") == pets
    (offered,) = rig.asked.tools
    assert "prefixItems" in offered["input_schema"]["$defs"]["Dog"]["properties"]["seen"]["description"]


@pytest.mark.proves("format.every-schema", "format.unfit")
async def test_an_answer_that_only_the_clients_schema_refuses_is_an_error(rig: Rig) -> None:
    pets = {"pets": [{"kind": "dog", "seen": ["Rex", "two"]}], "code": "D1"}
    rig.plays(lambda _: Reply((ToolUse("StructuredOutput", pets),)))
    with anyio.fail_after(PATIENCE_SECONDS), pytest.raises(openai.InternalServerError) as raised:
        await rig.client.chat.completions.parse(
            model=NEW_MODEL, messages=[{"role": "user", "content": "Which pets?"}], response_format=Pets
        )
    assert raised.value.code == "invalid_structured_output"
