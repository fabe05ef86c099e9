"""`claude-openai stop`: ends servers of this user, politely unless told otherwise. It signals no process that is not
known to be one (`instances`).
"""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from claude_openai.cli.terminal import progress
from claude_openai.errors import NotRunning, StillRunning
from claude_openai.system.instances import Instance, process_of, running

if TYPE_CHECKING:
    import psutil

KILL_GRACE_SECONDS: Final = 5.0
"""From SIGKILL until a process that the kernel will not let go is given up."""

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
@click.option("--force", is_flag=True, help="End it at once, with all it started: requests that run are cut off.")
def stop(port: int | None, every: bool, force: bool) -> None:
    """Stop a server: it takes no more requests, and those that run may finish within --shutdown-timeout.

    Exit code 0: it is gone. 1: no such server runs, or it did not stop in time. On Windows it is always as
    with --force.
    """
    servers = _chosen(port, every=every)
    with progress("Waiting until it has stopped"):
        ended = _killed(servers) if force or sys.platform == "win32" else _stopped(servers)
    for server in ended:
        click.echo(f"stopped {server.url} (process {server.pid})")
    for server in servers:
        if server not in ended:
            raise StillRunning(
                f"{server.url} (process {server.pid}) still runs {_patience(server, force=force):g} seconds after it "
                "was told to stop",
                f"end it at once with: claude-openai stop --port {server.port} --force",
            )


def end_tree(process: "psutil.Process") -> bool:
    """Kill a process and all it started; whether it is gone. Held first, so that it starts nothing meanwhile."""
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


def _chosen(port: int | None, *, every: bool) -> Sequence[Instance]:
    found = [server for server in running() if port in {None, server.port}]
    if not found:
        where = f" on port {port}" if port else ""
        raise NotRunning(f"no server of yours runs{where}", "see which do with: claude-openai status" if port else None)
    if len(found) > 1 and not every:
        ports = ", ".join(str(server.port) for server in found)
        raise click.UsageError(f"several servers run, on ports {ports}: name one with --port, or all with --all")
    return found


def _stopped(servers: Sequence[Instance]) -> list[Instance]:
    """All are told before any is waited for."""
    import psutil  # noqa: PLC0415 -- see above

    told = [(server, process_of(server)) for server in servers]
    for _, process in told:
        with suppress(psutil.NoSuchProcess):
            if process:
                process.terminate()
    began = time.monotonic()
    return [server for server, process in told if process is None or _is_gone(process, began + server.stop_seconds)]


def _killed(servers: Sequence[Instance]) -> list[Instance]:
    told = [(server, process_of(server)) for server in servers]
    return [server for server, process in told if process is None or end_tree(process)]


def _is_gone(process: "psutil.Process", deadline: float) -> bool:
    """Waits for it. A zombie is gone: in a container perhaps nobody reaps it."""
    import psutil  # noqa: PLC0415 -- see above

    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
    return True


def _patience(server: Instance, *, force: bool) -> float:
    return KILL_GRACE_SECONDS if force else server.stop_seconds
