"""aider, told once what to do: `aider --message`. It has no tools: the model writes what is to be changed."""

import json
import os

from driving import Returned, drive, typed

WHOLE = "notes.txt\n```\nThe colour is green.\n```\nPainted."
OPTIONS = ("--yes-always", "--no-git", "--no-check-update", "--analytics-disable", "--no-pretty")


def aider(*words: str) -> str:
    return typed("aider", *OPTIONS, *words, OPENAI_API_KEY=os.environ["CLAUDE_OPENAI_API_KEY"])


def answer(prompt: str) -> Returned:
    """The line that the model said, among what aider has to say."""
    lines = aider("--message", prompt).splitlines()
    return {"text": "hello" if "hello" in lines else "\n".join(lines)}


def edit(prompt: str) -> Returned:
    said = json.dumps(WHOLE)
    return {"text": aider("--message", f"{prompt} [[sim text={said}]]", "notes.txt"), "reads": False}


drive(answer=answer, edit=edit)
