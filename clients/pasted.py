"""What `claude-openai connect` says of a client, done as a person does it: files written, programs and lines run."""

from pathlib import Path

import anyio

from claude_openai.claude_code.processes.child import Command, child_process, dying_with_parent
from claude_openai.recipes import RECIPES, SHELL, Part
from clients.capabilities import Returned
from clients.driven import ANSWER_SECONDS, DriverEndedError, given_to, last_words
from clients.environments import Environment
from clients.stage import Stage, installed_command


async def configure(recipe: str, stage: Stage) -> None:
    """Have the command write the client's configuration, where it has one.

    Raises:
        DriverEndedError: it did not.
    """
    if RECIPES[recipe].config:
        argv = (installed_command(), "connect", recipe, "--write", "--url", stage.url)
        await _printed(argv, dict(stage.environment), stage)


async def pasted(recipe: str, environment: Environment, stage: Stage) -> Returned:
    """What was printed by what is to be pasted.

    Raises:
        DriverEndedError: it could not be run.
    """
    printed = [
        await _printed(_command(part, environment, stage), given_to(environment, stage), stage)
        for part in RECIPES[recipe].at(f"{stage.url}/v1").parts
        if not part.is_config
    ]
    return {"text": "".join(printed)}


def _command(part: Part, environment: Environment, stage: Stage) -> tuple[str, ...]:
    if part.where == SHELL:
        return ("sh", "-ec", part.text)
    program = (environment.folder if part.where.endswith(".mjs") else stage.project) / part.where
    program.write_text(part.text, encoding="utf-8")
    return environment.running(program)


async def _printed(argv: tuple[str, ...], environment: dict[str, str], stage: Stage) -> str:
    complaints: Path = stage.project.parent / "pasted.err"
    command = Command(dying_with_parent(argv), environment, stage.project, complaints)
    async with child_process(command) as child:
        await child.end_input()
        with anyio.move_on_after(ANSWER_SECONDS):
            printed = b"\n".join([line async for line in child.lines()]).decode(errors="replace")
            if await child.exit_code() == 0:
                return printed
            raise DriverEndedError(last_words(child.stderr_tail() or printed))
        raise DriverEndedError(f"not done within {ANSWER_SECONDS} seconds: {last_words(child.stderr_tail())}")
