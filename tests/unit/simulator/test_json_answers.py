"""JSON that a prompt asks for in words: the shapes that common libraries write into their prompts."""

import json
from typing import Any

import pytest

from claude_openai.simulator import Simulator
from tests.unit.simulator.api import asking, post, served

pytestmark = pytest.mark.anyio

SCHEMA = {"title": "Joke", "type": "object", "properties": {"funny": {"type": "boolean"}}, "required": ["funny"]}
PLACES = {"properties": {"foo": {"type": "array", "items": {"type": "string"}}}, "required": ["foo"]}


async def said(prompt: str, system: str = "") -> str:
    async with served(Simulator()) as client:
        body = asking(prompt) | ({"system": system} if system else {})
        content: Any = (await post(client, body)).json()["content"]
    return str(content[0]["text"])


@pytest.mark.parametrize(
    ("system", "prompt"),
    [
        # LangChain's PydanticOutputParser has an example of a schema and of an object before its own
        (
            "",
            (
                "Tell me a joke.\nThe output should be formatted as a JSON instance that conforms to this schema.\n"
                f'For the schema {json.dumps(PLACES)} the object {{"foo": ["bar", "baz"]}} is well-formatted.\n'
                f"Here is the output schema:\n```\n{json.dumps(SCHEMA)}\n```"
            ),
        ),
        # pydantic-ai's prompted output
        (
            (
                "Always respond with a JSON object that's compatible with this schema:\n\n"
                f"{json.dumps(SCHEMA)}\n\nDon't include any text or Markdown fencing before or after."
            ),
            'A joke about {"a": "b"}',
        ),
        # Instructor's JSON mode
        (
            (
                "As a genius expert, your task is to understand the content and provide the parsed objects in json "
                f"that match the following json_schema:\n\n{json.dumps(SCHEMA, indent=2)}"
            ),
            "A joke",
        ),
        # an example only
        ('Reply in JSON: {"funny": "true or false"}', "A joke"),
    ],
)
async def test_an_object_fits_the_shape_in_the_prompt(system: str, prompt: str) -> None:
    assert json.loads(await said(prompt, system)) == {"funny": True}


async def test_a_list_of_files_asks_for_no_json() -> None:
    files = 'Commands cannot write output-styles, settings.json. Network: {"deniedHosts": ["*"]}'
    assert "simulated model" in await said("Hi", files)


async def test_without_a_shape_the_system_prompt_gets_an_object_and_a_prompt_that_says_what_to_say_is_obeyed() -> None:
    assert json.loads(await said("Say hello", "Answer in JSON.")) == {"answer": "hello"}
    assert await said('Say {"a": 1}', "Answer in JSON.") == '{"a": 1}'
    assert await said('Say hello, and answer in JSON like {"a": 1}') == 'hello, and answer in JSON like {"a": 1}'
    assert (await said("What is JSON?")).startswith("Hello!")
