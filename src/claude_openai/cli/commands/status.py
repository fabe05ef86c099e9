"""`claude-openai status`: shows the running servers of this user with the data of their `/health`."""

import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import click

from claude_openai.cli.terminal import as_called, fact, progress, wants_colours
from claude_openai.errors import ExitCode
from claude_openai.system.instances import ANSWER_SECONDS, Instance, health_of, running
from claude_openai.text import duration, one_line

EXAMPLES = """\b
Examples:
  claude-openai status
  claude-openai status --port 9000
  claude-openai status --json | jq '.servers[].health.queue'
"""


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server and the answer of its `/health`; None if it did not answer. `port_closed`: it refuses connections."""

    instance: Instance
    health: Mapping[str, object] | None
    port_closed: bool = False

    @property
    def uptime(self) -> float:
        """The seconds that the server reports, else the age of its process."""
        uptime = self.health.get("uptime") if self.health else None
        return uptime if isinstance(uptime, int | float) else max(0.0, time.time() - self.instance.started_at)


@click.command(epilog=EXAMPLES)
@click.option("--port", type=click.IntRange(1, 65535), metavar="PORT", help="Only the server on this port.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with the answers of /health.")
@click.pass_context
def status(context: click.Context, port: int | None, as_json: bool) -> int:
    """Show your running servers and their health.

    Exit code 0: all of them answer. 1: none runs, or one does not answer.
    """
    with progress("Asking"):
        found = [status_of(each) for each in running() if port in {None, each.port}]
    if as_json:
        click.echo(json.dumps({"servers": [_as_json(each) for each in found]}, indent=2))
    elif found:
        colours = wants_colours(sys.stdout, context.obj)
        click.echo("\n".join(described(each) for each in found), nl=False, color=colours)
    else:
        where = f" on port {port}" if port else ""
        click.echo(as_called(f"no server of yours runs{where}; start one with: claude-openai --background"))
    return ExitCode.OK if found and all(each.health is not None for each in found) else ExitCode.FAILED


def status_of(instance: Instance) -> ServerStatus:
    """The status of a server."""
    try:
        return ServerStatus(instance, health_of(instance))
    except ConnectionRefusedError:
        return ServerStatus(instance, None, port_closed=True)


def described(server: ServerStatus) -> str:
    """A block of lines about one server, with colours."""
    return "".join(f"{line}\n" for line in _lines(server))


def _lines(server: ServerStatus) -> Iterator[str]:
    instance, health = server.instance, server.health
    yield f"{click.style(f'{instance.url}/v1', fg='cyan', underline=True)}  {_state(server)}"
    if health and health.get("simulated"):
        yield click.style(fact("Simulated", "a script answers here, no model"), fg="yellow")
    yield fact("Host", ", ".join(instance.hosts))
    if health and isinstance(ready_at := health.get("ready_at"), int | float):
        yield fact("Ready", f"in {duration(max(0.0, ready_at - time.time()))}")
    yield fact("PID", str(instance.pid))
    if health:
        backend = _table(health, "backend")
        through = f", Claude Code {backend.get('version')} through {backend.get('name')}" if backend else ""
        yield fact("Version", f"{health.get('version', 'unknown')}{through}")
    yield fact("Uptime", duration(server.uptime) if server.uptime >= 1 else "less than a second")
    if health:
        yield fact("Runs", _counts(_table(health, "runs") or _table(health, "queue")))
        yield fact("Processes", _counts(_in_words(_table(health, "processes"))) + _bound(_table(health, "warm_pool")))
    if instance.log_file:
        yield fact("Log", str(instance.log_file))
    if not (health or server.port_closed):
        yield fact("End it", as_called(f"claude-openai stop --port {instance.port} --force"))


def _state(server: ServerStatus) -> str:
    health = server.health
    if server.port_closed:
        return click.style("is stopping: it accepts no connections", fg="yellow")
    if health is None:
        return click.style(f"does not answer within {ANSWER_SECONDS:g} seconds", fg="red", bold=True)
    if health.get("ready", True):
        return click.style("running", fg="green")
    reason = as_called(one_line(str(health.get("reason") or "it reports no reason")))
    return click.style(f"running, but not ready: {reason}", fg="yellow")


def _counts(counts: Mapping[str, object]) -> str:
    """`2 running, 1 waiting`, without zeros."""
    return ", ".join(f"{number} {name}" for name, number in counts.items() if number) or "none"


def _in_words(processes: Mapping[str, object]) -> Mapping[str, object]:
    """The `processes` of `/health`, in words for people."""
    return {"idle" if name == "resting" else name: number for name, number in processes.items()}


def _bound(warm_pool: Mapping[str, object]) -> str:
    """Why fewer processes wait than bursts would need, in parentheses; empty where enough may."""
    bound = {"memory": "the available memory", "max_processes": "--max-processes"}.get(str(warm_pool.get("bounded_by")))
    return f" ({warm_pool.get('wanted')} warm ones wanted; {bound} allows fewer)" if bound else ""


def _table(health: Mapping[str, object], name: str) -> Mapping[str, object]:
    """An object in the answer of `/health`; empty if this version of the server has none."""
    value = health.get(name)
    return value if isinstance(value, dict) else {}


def _as_json(server: ServerStatus) -> Mapping[str, object]:
    instance = server.instance
    return {
        "url": instance.url,
        "hosts": instance.hosts,
        "port": instance.port,
        "pid": instance.pid,
        "started_at": instance.started_at,
        "uptime": server.uptime,
        "log_file": str(instance.log_file) if instance.log_file else None,
        "answers": server.health is not None,
        "health": server.health,
    }
