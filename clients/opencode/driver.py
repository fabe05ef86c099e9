"""OpenCode, told once what to do: `opencode run`."""

import json
from pathlib import Path

from driving import Returned, drive, typed

NOTES = str(Path("notes.txt").resolve())
READ = json.dumps({"filePath": NOTES})
EDIT = json.dumps({"filePath": NOTES, "oldString": "blue", "newString": "green"})


def answer(prompt: str) -> Returned:
    """Through standard input: words of the command line are put into quotes, and quotes in them are escaped."""
    return {"text": typed("opencode", "run", "-m", "claude-openai/sonnet", said=prompt)}


def conversation(prompt: str) -> Returned:
    first, *others = prompt.splitlines()
    texts = [answer(first)["text"]]
    texts += [typed("opencode", "run", "--continue", "-m", "claude-openai/sonnet", said=words) for words in others]
    return {"texts": texts}


def edit(prompt: str) -> Returned:
    return answer(
        f'{prompt} [[sim tool=read input={READ}]] [[sim tool=edit input={EDIT} next]] [[sim text="Painted."]]'
    )


drive(answer=answer, conversation=conversation, edit=edit)
