"""Commands of agents that could swap each other's folders do not run at the same time."""

import anyio

from claude_openai.claude_code.agent.running_commands import RunningCommands
from tests.virtual_clock import on_virtual_clock

APART = [
    (("/a/shop",), ("/a/shop",), True),
    (("/a/shop",), ("/a/shopping",), True),
    (("/a",), ("/a/shop",), False),
    (("/a/shop",), ("/a",), False),
    (("/a/x", "/b"), ("/b/y",), False),
    (("/c",), ("/a/shop",), True),
]
"""Two commands' folders, and whether they may run at the same time."""


@on_virtual_clock
async def test_a_command_waits_for_one_that_may_write_above_its_folder() -> None:
    for first, second, together in APART:
        commands = RunningCommands()
        assert await commands.enter("1", writable=first, readable=("/a",))
        assert await commands.enter("2", writable=second, readable=("/a",)) is together, (first, second)


@on_virtual_clock
async def test_a_folder_that_commands_only_read_counts_too() -> None:
    commands = RunningCommands()
    assert await commands.enter("1", writable=("/a",), readable=("/a",))
    assert not await commands.enter("2", writable=("/c",), readable=("/a/b", "/c"))


@on_virtual_clock
async def test_it_runs_as_soon_as_the_other_has_ended() -> None:
    commands, seen = RunningCommands(), list[str]()

    async def second() -> None:
        assert await commands.enter("2", writable=("/a/shop",), readable=())
        seen.append("second")

    assert await commands.enter("1", writable=("/a",), readable=())
    async with anyio.create_task_group() as group:
        group.start_soon(second)
        await anyio.sleep(5)
        seen.append("first ends")
        commands.leave("1")
        commands.leave("1")
    assert seen == ["first ends", "second"]
