"""Programs that tests start as processes of their own: servers that share a store, or are killed while they write.

`fill FOLDER NAME COUNT` saves so many runs and ends properly. `hold FOLDER` saves a run of each state that is not over,
and stays until it is killed. `killed FOLDER SEED COUNT` lives the same life so many times, in FOLDER/0, FOLDER/1, ...,
and is killed at another step of SQLite's each time but the first.
"""

import json
import os
import random
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import anyio

from claude_openai.core.responses import StoredResponse
from claude_openai.core.runs import Run, RunState
from claude_openai.store import sqlite_reader, sqlite_store
from claude_openai.store.sqlite.store import opened
from claude_openai.store.sqlite.writer import Batch, Writer
from tests.server.store.samples import KEEPS_ALL, a_run, response_of, until

ACKNOWLEDGED = "acknowledged"
"""The file in a killed server's folder that tells, a line each, what it knew to be written."""

FIRST_STEPS = 1500
"""The file is made and brought to the newest schema in about so many; half of the kills fall among them."""

STATES = [RunState.QUEUED, RunState.RUNNING, RunState.PARKED, RunState.COMPLETED]


async def fill(folder: Path, name: str, count: int) -> None:
    async with sqlite_store(folder, KEEPS_ALL) as store:
        for number in range(count):
            store.save(a_run(id=f"{name}-{number}", text="x" * 5000))
            await store.recent(1)


async def hold(folder: Path) -> None:
    async with sqlite_store(folder, KEEPS_ALL) as store:
        for state in (RunState.QUEUED, RunState.RUNNING, RunState.PARKED):
            store.save(a_run(id=f"held-{state}", state=state))
        await until(lambda: len(sqlite_reader(folder).recent(10)) == 3)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await anyio.sleep_forever()


async def live(folder: Path) -> None:
    """Twice: forget what is too old, write every state of three runs one by one, the end of one of them with its
    response, and leave properly.
    """
    for life in ("first", "second"):
        store = await anyio.to_thread.run_sync(opened, folder)
        writer = Writer(store.connection, store.server, KEEPS_ALL)
        await write(writer, a_run(id=f"{life}-old", arrived_at=1.0, text="y" * 9000))
        for number in range(3):
            run = a_run(id=f"{life}-{number}", text="x" * 3000)
            for state in STATES[: 2 + number]:
                over = state is RunState.COMPLETED
                await write(writer, replace(run, state=state), response_of(run) if over else None)
                acknowledge(folder, run.id, state)
        await anyio.to_thread.run_sync(writer.close)


async def write(writer: Writer, run: Run, response: StoredResponse | None = None) -> None:
    writer.save(Batch({run.id: run}, {response.id: response} if response else {}))
    await until(lambda: not writer.unwritten().runs)


def acknowledge(folder: Path, run: str, state: RunState) -> None:
    with (folder / ACKNOWLEDGED).open("a") as file:
        file.write(json.dumps([run, state]) + "\n")


@dataclass
class Steps:
    """Counts what SQLite does, and kills this process at the step `last`; 0 is never."""

    count: int = 0
    last: int = 0

    def step(self, *_: object) -> int:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0


class Counted(sqlite3.Connection):
    """Each statement and each instruction of SQLite's machine is a step."""

    steps: ClassVar = Steps()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.set_trace_callback(self.steps.step)
        self.set_progress_handler(self.steps.step, 1)


def killed(folder: Path, seed: int, count: int) -> None:
    sqlite3.connect = partial(sqlite3.connect, factory=Counted)  # type: ignore[assignment]
    steps = in_child(partial(live_until, folder / "0", 0))
    chance = random.Random(seed)
    for number in range(1, count):
        last = chance.randint(1, FIRST_STEPS if number % 2 else steps)
        in_child(partial(live_until, folder / str(number), last))


def live_until(folder: Path, last: int) -> int:
    folder.mkdir()
    Counted.steps.last = last
    anyio.run(live, folder)
    return Counted.steps.count


def in_child(life: Callable[[], int]) -> int:
    """What `life` returns in a child; 0 if that was killed."""
    reading, writing = os.pipe()
    if not os.fork():
        with suppress(BaseException):
            os.write(writing, str(life()).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.wait()
    return int(told or 0)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["fill", folder, name, count]:
            anyio.run(fill, Path(folder), name, int(count))
        case ["hold", folder]:
            anyio.run(hold, Path(folder))
        case ["killed", folder, seed, count]:
            killed(Path(folder), int(seed), int(count))
        case _:
            sys.exit(__doc__)
