"""A client at work: its driver as a process of its own, told what to do line by line. Every wait is bounded."""

import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from claude_openai.claude_code.processes.child import Child, Command, child_process, dying_with_parent
from clients.capabilities import Returned
from clients.environments import HERE, Environment
from clients.stage import Stage

START_SECONDS: Final = 90
"""Some clients take seconds to import, on a cold disk ten times that."""

ANSWER_SECONDS: Final = 90
"""For one capability; agents of the command line start anew for each."""


class DriverEndedError(Exception):
    """It ended, or did not answer in time; the sentence is the last that it complained."""


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver that runs; `capabilities` is what it can do."""

    child: Child
    lines: AsyncGenerator[bytes, None]
    capabilities: tuple[str, ...]

    async def does(self, capability: str, prompt: str) -> Returned:
        """What the client returned.

        Raises:
            DriverEndedError: it returned nothing.
        """
        await self.child.send(f"{json.dumps({'capability': capability, 'prompt': prompt})}\n".encode())
        returned: Returned = await _line(self.child, self.lines, ANSWER_SECONDS)
        return returned


@asynccontextmanager
async def driver(program: Path, environment: Environment, stage: Stage) -> AsyncIterator[Driver]:
    """Start the driver for as long as the block lasts.

    Raises:
        DriverEndedError: it did not start.
    """
    argv = environment.running(_placed(program, environment))
    command = Command(
        dying_with_parent((*argv, f"{stage.url}/v1")),
        given_to(environment, stage),
        stage.project,
        stage.project.parent / "driver.err",
    )
    async with child_process(command) as child, aclosing(child.lines()) as lines:
        yield Driver(child, lines, tuple(await _line(child, lines, START_SECONDS)))


def given_to(environment: Environment, stage: Stage) -> dict[str, str]:
    """The variables of a client: those of the stage, with the environment's programs first in the path."""
    return {**stage.environment, "PATH": f"{environment.programs}:{stage.environment['PATH']}"}


def _placed(program: Path, environment: Environment) -> Path:
    """Node looks for packages where the program lies, so there it is put, with what it imports."""
    if program.suffix != ".mjs":
        return program
    for file in (HERE / "driving.mjs", *program.parent.glob("*.mjs")):
        shutil.copy(file, environment.folder)
    return environment.folder / program.name


async def _line(child: Child, lines: AsyncGenerator[bytes, None], seconds: float) -> Any:
    with anyio.move_on_after(seconds):
        async for line in lines:
            return json.loads(line)
        await child.exit_code()
        raise DriverEndedError(last_words(child.stderr_tail()))
    raise DriverEndedError(f"no answer within {seconds} seconds: {last_words(child.stderr_tail())}")


def last_words(complaints: str) -> str:
    """What went wrong: the last line that names an error, or the last of all."""
    said = [line.strip() for line in complaints.splitlines() if line.strip()]
    named = [line for line in said if "Error" in line.split(":")[0]]
    return (named or said or ["it said nothing"])[-1][:300]
