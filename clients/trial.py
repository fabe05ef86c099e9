"""One client tried on everything that its driver can do, one capability after the other."""

from collections.abc import Callable
from typing import Final

from claude_openai.simulator import Reply
from clients.capabilities import CAPABILITIES
from clients.catalogue import Client
from clients.driven import Driver, DriverEndedError, driver
from clients.environments import Environment, NotInstallableError, environment
from clients.matrix import START, Outcome, Result
from clients.pasted import configure, pasted
from clients.stage import Stage

PASTE: Final = "paste"

Tell = Callable[[Result], None]


async def try_out(client: Client, stage: Stage, tell: Tell) -> None:
    """Tell each result as soon as it is known. A driver that ended is started again for what is left."""
    try:
        made = environment(client.place)
    except NotInstallableError as reason:
        tell(Result(client, START, Outcome.SKIP, str(reason)))
        return
    await stage.set()
    if client.recipe:
        await _paste(client, client.recipe, made, stage, tell)
    left = list(CAPABILITIES)
    while left:
        try:
            async with driver(client.place / client.driver, made, stage) as running:
                left = [name for name in left if name in running.capabilities]
                await _until_it_ends(client, running, stage, left, tell)
        except DriverEndedError as reason:
            tell(Result(client, START, Outcome.FAIL, str(reason)))
            return


async def _paste(client: Client, recipe: str, made: Environment, stage: Stage, tell: Tell) -> None:
    """First, since the driver of a client with a configuration uses what is written here."""
    stage.simulator.script = lambda _: Reply.of("hello")
    try:
        await configure(recipe, stage)
        wrong = "; ".join(CAPABILITIES[PASTE].check(await pasted(recipe, made, stage), await stage.seen(0)))
    except DriverEndedError as reason:
        wrong = str(reason)
    finally:
        stage.simulator.script = None
    tell(Result(client, PASTE, Outcome.FAIL if wrong else Outcome.PASS, wrong))


async def _until_it_ends(client: Client, running: Driver, stage: Stage, left: list[str], tell: Tell) -> None:
    """Take from `left` what is tried."""
    while left:
        name = left.pop(0)
        capability = CAPABILITIES[name]
        live = await stage.clear()
        try:
            returned = await running.does(name, capability.prompt)
        except DriverEndedError as reason:
            tell(Result(client, name, Outcome.FAIL, str(reason)))
            return
        wrong = "; ".join(capability.check(returned, await stage.seen(live)))
        tell(Result(client, name, Outcome.FAIL if wrong else Outcome.PASS, wrong))
