"""`claude-openai stop`: stops servers of this user, gracefully unless --force is given. It signals only processes that
`instances` identifies as servers.
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from claude_openai.cli.terminal import progress
from claude_openai.errors import NotRunning, StillRunning
from claude_openai.settings import Settings
from claude_openai.system.instances import Instance, on_port, process_of, running

if TYPE_CHECKING:
    import psutil

KILL_GRACE_SECONDS: Final = 5.0
"""Timeout after SIGKILL, for a process that hangs in the kernel."""

POLL_SECONDS: Final = 0.02

EXAMPLES = """\b
Examples:
  claude-openai stop
  claude-openai stop --port 9000
  claude-openai stop --all --force
"""


@click.command(epilog=EXAMPLES)
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="The server on this port.")
@click.option("--all", "every", is_flag=True, help="Every server of yours.")
@click.option("--force", is_flag=True, help="Kill it at once, with its child processes: running requests are cut off.")
@click.pass_context
def stop(context: click.Context, port: int | None, every: bool, force: bool) -> None:
    """Stop a server: it accepts no more requests, and running ones may finish within --shutdown-timeout.

    Of several servers it is the one on the usual port (8000, or that of the settings), if it is there.

    Exit code 0: it has stopped. 1: no such server runs, or it did not stop in time. On Windows it always acts as
    with --force.
    """
    servers = running() if every else on_port(port, Settings.load({}, context.obj).port)
    if not servers:
        where = f" on port {port}" if port else ""
        raise NotRunning(f"no server of yours runs{where}", "see which do with: claude-openai status" if port else None)
    if len(servers) > 1 and not every:
        ports = ", ".join(str(server.port) for server in servers)
        raise click.UsageError(f"several servers run, on ports {ports}: name one with --port, or all with --all")
    with progress("Waiting until it has stopped"):
        if force or sys.platform == "win32":
            processes = [(server, process_of(server)) for server in servers]
            ended = [server for server, process in processes if process is None or end_tree(process)]
        else:
            ended = _stopped(servers)
    for server in ended:
        click.echo(f"stopped {server.url} (process {server.pid})")
    for server in servers:
        if server not in ended:
            raise StillRunning(
                f"{server.url} (process {server.pid}) still runs "
                f"{KILL_GRACE_SECONDS if force else server.stop_seconds:g} seconds after it was told to stop",
                f"end it at once with: claude-openai stop --port {server.port} --force",
            )


def end_tree(process: "psutil.Process") -> bool:
    """Kill a process and its descendants; whether all have ended. It is suspended first, so that it starts no more."""
    import psutil  # noqa: PLC0415 -- 27 ms, which --help need not wait for

    family = [process]
    with suppress(psutil.Error):
        process.suspend()
        family += process.children(recursive=True)
    for member in family:
        with suppress(psutil.Error):
            member.kill()
    deadline = time.monotonic() + KILL_GRACE_SECONDS
    return all(_is_gone(member, deadline) for member in family)


def _stopped(servers: Sequence[Instance]) -> list[Instance]:
    """Terminate all servers, then wait for each."""
    import psutil  # noqa: PLC0415 -- see above

    processes = [(server, process_of(server)) for server in servers]
    for _, process in processes:
        with suppress(psutil.NoSuchProcess):
            if process:
                process.terminate()
    now = time.monotonic()
    return [server for server, process in processes if process is None or _is_gone(process, now + server.stop_seconds)]


def _is_gone(process: "psutil.Process", deadline: float) -> bool:
    """Wait until the process has ended. A zombie has ended: in a container it may never be reaped."""
    import psutil  # noqa: PLC0415 -- see above

    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
    return True
