"""Codex, told once what to do: `codex exec`, which is the Responses API."""

import json

from driving import Returned, drive, typed

READ = json.dumps({"cmd": "cat notes.txt"})
EDIT = json.dumps({"cmd": "sed -i.before s/blue/green/ notes.txt"})

NO_FENCE = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
"""The folder is made for this, and Codex's own sandbox does not work in every container."""


def answer(prompt: str) -> Returned:
    return {"text": typed("codex", "exec", "--profile", "claude", *NO_FENCE, prompt)}


def conversation(prompt: str) -> Returned:
    first, *others = prompt.splitlines()
    texts = [answer(first)["text"]]
    go_on = ("codex", "exec", "--profile", "claude", "resume", "--last", *NO_FENCE)
    return {"texts": texts + [typed(*go_on, words) for words in others]}


def image(prompt: str) -> Returned:
    return {"text": typed("codex", "exec", "--profile", "claude", *NO_FENCE, "--image", "square.png", "--", prompt)}


def edit(prompt: str) -> Returned:
    calls = f"[[sim tool=exec_command input={READ}]] [[sim tool=exec_command input={EDIT} next]]"
    return answer(f'{prompt} {calls} [[sim text="Painted."]]')


drive(answer=answer, conversation=conversation, image=image, edit=edit)
