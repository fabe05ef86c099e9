"""llm, the command line."""

import json
from pathlib import Path

import llm
from driving import ABOUT, Returned, drive, typed

MODEL = "claude-sonnet"

TOOL = f'''
def get_weather(city: str) -> str:
    """{ABOUT}"""
    print(city, file=open("called.txt", "a"))
    return f"21 degrees in {{city}}"
'''


def answer(prompt: str) -> Returned:
    return {"text": typed("llm", "--model", MODEL, "--no-stream", prompt)}


def models(_: str) -> Returned:
    return {"models": ["sonnet"] if MODEL in typed("llm", "models") else []}


def stream(prompt: str) -> Returned:
    """With its library, where one can see the pieces."""
    answer = llm.get_model(MODEL).prompt(prompt)
    pieces = list(answer)
    return {"pieces": pieces, "usage": [answer.usage().input, answer.usage().output]}


def tools(prompt: str) -> Returned:
    Path("tool.py").write_text(TOOL, encoding="utf-8")
    text = typed("llm", "--model", MODEL, "--functions", "tool.py", prompt)
    return {"text": text, "called": Path("called.txt").read_text(encoding="utf-8").split()}


def conversation(prompt: str) -> Returned:
    first, *others = prompt.splitlines()
    texts = [answer(first)["text"]]
    return {"texts": texts + [typed("llm", "--continue", words) for words in others]}


def schema(prompt: str) -> Returned:
    return {"value": json.loads(typed("llm", "--model", MODEL, "--schema", "city, degrees int", prompt))}


def image(prompt: str) -> Returned:
    return {"text": typed("llm", "--model", MODEL, "--attachment", "square.png", prompt)}


drive(
    answer=answer,
    models=models,
    stream=stream,
    usage=stream,
    tools=tools,
    conversation=conversation,
    image=image,
    schema=schema,
)
