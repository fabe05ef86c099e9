"""Continue's command, which reads the configuration of its editor extensions: `cn --print`."""

import json
from pathlib import Path

from driving import Returned, drive, typed

NOTES = str(Path("notes.txt").resolve())
READ = json.dumps({"filepath": NOTES})
EDIT = json.dumps({"file_path": NOTES, "edits": [{"old_string": "blue", "new_string": "green"}]})

COMMAND = ("cn", "--config", str(Path("~/.continue/config.yaml").expanduser()), "--auto")


def answer(prompt: str) -> Returned:
    return {"text": typed(*COMMAND, "--print", prompt)}


def conversation(prompt: str) -> Returned:
    first, *others = prompt.splitlines()
    texts = [answer(first)["text"]]
    texts += [typed(*COMMAND, "--resume", "--print", words) for words in others]
    return {"texts": texts}


def edit(prompt: str) -> Returned:
    calls = f"[[sim tool=Read input={READ}]] [[sim tool=MultiEdit input={EDIT} next]]"
    return answer(f'{prompt} {calls} [[sim text="Painted."]]')


drive(answer=answer, conversation=conversation, edit=edit)
