"""Commands and file tools of agents that could swap what another one opens do not run at the same time."""

import anyio

from claude_openai.claude_code.agent.running_commands import RunningCommands
from tests.virtual_clock import on_virtual_clock

APART = [
    (("/a/shop",), ("/a/inn",), True),
    (("/a/shop",), ("/a/shopping",), True),
    (("/a/shop",), ("/a/shop",), False),  # the sandbox mounts paths in the folder, too
    (("/a",), ("/a/shop",), False),
    (("/a/shop",), ("/a",), False),
    (("/a/x", "/b"), ("/b/y",), False),
    (("/c",), ("/a/shop",), True),
]
"""Two commands' folders, and whether they may run at the same time."""


@on_virtual_clock
async def test_a_command_waits_for_one_that_may_write_where_its_sandbox_mounts_something() -> None:
    for first, second, together in APART:
        commands = RunningCommands()
        assert await commands.enter_command("1", writable=first, readable=("/a",))
        assert await commands.enter_command("2", writable=second, readable=("/a",)) is together, (first, second)


@on_virtual_clock
async def test_a_folder_that_commands_only_read_counts_too() -> None:
    commands = RunningCommands()
    assert await commands.enter_command("1", writable=("/a",), readable=("/a",))
    assert not await commands.enter_command("2", writable=("/c",), readable=("/a/b", "/c"))


@on_virtual_clock
async def test_a_file_tool_waits_for_a_command_that_may_write_there_and_the_other_way_round() -> None:
    commands = RunningCommands()
    assert await commands.enter_command("1", writable=("/a/shop",), readable=("/a",))
    assert await commands.enter_file_tool("2", ("/a/inn/x",))
    assert await commands.enter_file_tool("3", ("/a/inn/x",))
    assert not await commands.enter_file_tool("4", ("/a/shop/x", "/a/inn/y"))
    assert not await commands.enter_command("5", writable=("/a/inn",), readable=("/a",))
    commands.leave("2")
    commands.leave("3")
    assert await commands.enter_command("5", writable=("/a/inn",), readable=("/a",))


@on_virtual_clock
async def test_a_start_waits_for_a_command_that_may_replace_its_folder_and_the_other_way_round() -> None:
    commands = RunningCommands()
    assert await commands.enter_command("1", writable=("/a",), readable=("/a",))
    assert not await commands.enter_start("2", ("/a/shop",))
    commands.leave("1")
    assert await commands.enter_start("2", ("/a/shop",))
    assert await commands.enter_start("3", ("/a/shop",))
    assert not await commands.enter_command("4", writable=("/a/shop",), readable=("/a",))


@on_virtual_clock
async def test_it_runs_as_soon_as_the_other_has_ended() -> None:
    commands, seen = RunningCommands(), list[str]()

    async def second() -> None:
        assert await commands.enter_command("2", writable=("/a/shop",), readable=())
        seen.append("second")

    assert await commands.enter_command("1", writable=("/a",), readable=())
    async with anyio.create_task_group() as group:
        group.start_soon(second)
        await anyio.sleep(5)
        seen.append("first ends")
        commands.leave("1")
        commands.leave("1")
    assert seen == ["first ends", "second"]
