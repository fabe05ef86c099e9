"""Qwen Code, told once what to do: `qwen --prompt`."""

import json
from pathlib import Path

from driving import Returned, drive, typed

NOTES = str(Path("notes.txt").resolve())
READ = json.dumps({"file_path": NOTES})
EDIT = json.dumps({"file_path": NOTES, "old_string": "blue", "new_string": "green"})


def answer(prompt: str) -> Returned:
    return {"text": typed("qwen", "--yolo", "--prompt", prompt)}


def conversation(prompt: str) -> Returned:
    """It tells the date beside the newest message, and leaves that out when it sends the message again."""
    first, *others = prompt.splitlines()
    texts = [answer(first)["text"]]
    texts += [typed("qwen", "--yolo", "--continue", "--prompt", words) for words in others]
    return {"texts": texts, "rewrites": True}


def edit(prompt: str) -> Returned:
    calls = f"[[sim tool=read_file input={READ}]] [[sim tool=edit input={EDIT} next]]"
    return answer(f'{prompt} {calls} [[sim text="Painted."]]')


drive(answer=answer, conversation=conversation, edit=edit)
