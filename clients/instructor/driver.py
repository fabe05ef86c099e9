"""Instructor, which makes values of a client's answers: through tools, and through structured output."""

import instructor
from driving import KEY, MODEL, URL, Returned, drive
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)


class Report(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def report(prompt: str, mode: instructor.Mode) -> Report:
    return instructor.from_openai(client, mode=mode).create(
        model=MODEL, messages=[{"role": "user", "content": prompt}], response_model=Report, max_retries=1
    )


def forced(prompt: str) -> Returned:
    return {"value": report(prompt, instructor.Mode.TOOLS).model_dump()}


def schema(prompt: str) -> Returned:
    return {"value": report(prompt, instructor.Mode.JSON_SCHEMA).model_dump()}


drive(forced=forced, schema=schema)
