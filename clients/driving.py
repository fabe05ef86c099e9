"""What the drivers in Python share: a driver is one client at work, told by lines of JSON what to do next.

The first line it writes names its capabilities. Then each line it reads names one of them and has the prompt; it writes
what the client returned. What goes wrong ends it with a traceback, which is why a driver catches nothing.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Returned = dict[str, Any]

URL = sys.argv[1]
"""Where the server's API is, `/v1` at its end."""

KEY = os.environ["CLAUDE_OPENAI_API_KEY"]

MODEL = "sonnet"

ABOUT = "Tells the weather in a city."
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = "21 degrees in {city}"
"""The tool that every driver offers: what it says of itself, its parameters, what it returns."""


def image_url() -> str:
    """The picture that the model is to see."""
    return f"data:image/png;base64,{base64.b64encode(Path('square.png').read_bytes()).decode()}"


def typed(*command: str, said: str = "", **variables: str) -> str:
    """What a command of the client's prints. One that fails ends the driver."""
    done = subprocess.run(
        command, input=said, env={**os.environ, **variables}, capture_output=True, text=True, timeout=80, check=False
    )
    print(done.stdout, done.stderr, file=sys.stderr)
    if done.returncode:
        sys.exit(f"Error: {command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def methods(client: object) -> dict[str, Callable[[str], Returned]]:
    """Its public methods by name, each of which is a capability."""
    return {name: getattr(client, name) for name in dir(client) if not name.startswith("_")}


def drive(**capabilities: Callable[[str], Returned]) -> None:
    """Do what is asked, until nothing more is."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a client prints is not an answer
    print(json.dumps(sorted(capabilities)), file=answers, flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        print(json.dumps(capabilities[task["capability"]](task["prompt"])), file=answers, flush=True)
