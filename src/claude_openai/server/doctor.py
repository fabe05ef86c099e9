"""Whether this machine can serve: each thing that a server needs, looked at without serving anybody.

Claude Code is asked in the very way of a server, by one on a free port of this machine that remembers nothing and ends
with the check. No secret is in what is told: the login's kind is Claude Code's own word for it, and whatever else is
said goes through the log's redaction.
"""

import errno
import os
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Final, Literal

import anyio
import httpx2
from anyio.abc import TaskStatus
from pydantic import BaseModel, ValidationError

from claude_openai import logs
from claude_openai.errors import LaunchError
from claude_openai.server import wiring
from claude_openai.server.backends import executable, settle_folders
from claude_openai.settings import Settings, doubts, login_environment
from claude_openai.store import saved_runs
from claude_openai.system.instances import ANSWER_SECONDS, Instance, health_of, running
from claude_openai.system.places import Places
from claude_openai.system.private_files import is_open_to_others
from claude_openai.system.serving import listening

Status = Literal["ok", "warn", "fail"]

SELF_TEST_SECONDS: Final = 30.0
"""For an answer of the simulator's; half a second is usual."""

LIVE_SECONDS: Final = 120.0
"""For a word of the real model."""

OLDEST_PYTHON: Final = (3, 11)

PROMPT: Final = "Say hello"
"""The simulator answers "hello" to it, and so does any model, more or less."""

"""What nobody else may have of a folder or file."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. `remedy` says what to do where it is not ok."""

    name: str
    status: Status
    told: str
    remedy: str | None = None


def of_machine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """What can be seen at once, without Claude Code."""
    yield from of_installation()
    yield from _of_settings(settings, environ)
    yield from _of_servers(settings)
    yield _of_data(Places.of(settings).data)


def of_installation() -> Iterator[Check]:
    """What needs no settings."""
    yield of_python(sys.version_info[:3])
    yield _of_sdk()


def of_claude_code(settings: Settings, environ: Mapping[str, str], *, live: bool) -> Iterator[Check]:
    """Claude Code and its login, a turn with a simulated model, and with `live` one with the real one.

    Raises:
        KeyboardInterrupt: a signal came.
    """
    login = login_environment(environ)
    secrets = [*(key.get_secret_value() for key in settings.api_keys), *logs.secrets_in(login)]
    logs.configure(None, logs.Memory(), secrets=secrets)
    interrupted = False
    try:
        yield from anyio.run(partial(_asked, _alone(settings, simulate=False), login, live=live))
        yield from anyio.run(partial(_self_test, _alone(settings, simulate=True), login))
    except* _Interrupted:
        interrupted = True
    if interrupted:
        raise KeyboardInterrupt


def of_python(found: tuple[int, ...]) -> Check:
    """Whether the interpreter is new enough."""
    told = ".".join(map(str, found))
    if found >= OLDEST_PYTHON:
        return Check("Python", "ok", told)
    return Check("Python", "fail", f"{told} is too old", "install Python 3.11 or newer")


def of_port(hosts: Iterable[str], port: int, servers: Sequence[Instance]) -> Check:
    """Whether a server could have `port`, or one of `servers` has it."""
    ours = next((server for server in servers if port and server.port == port), None)
    if ours:
        return Check("Port", "ok", f"your server has {port} (process {ours.pid})")
    try:
        with listening(hosts, port):
            pass
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Check("Port", "fail", f"{port} is taken by {_holder(port)}", "name another with --port")
        return Check("Port", "fail", f"{error.filename}, port {port}: {error.strerror}", "see --host and --port")
    return Check("Port", "ok", f"{port} is free" if port else "any free one")


def of_server(server: Instance) -> Check:
    """Whether a server that runs can answer requests, by its own word: what it met upstream is among that."""
    try:
        health = health_of(server)
    except ConnectionRefusedError:
        return Check("Server", "warn", "it is stopping, and lets nobody in", "start it again once it has ended")
    if health is None:
        told = f"process {server.pid} does not answer within {ANSWER_SECONDS:g} seconds"
        return Check("Server", "fail", told, f"claude-openai stop --port {server.port} --force")
    if not health.get("ready", True):
        told = f"it is not ready: {logs.redacted(str(health.get('reason')))}"
        return Check("Server", "fail", told, f"then see: claude-openai status --port {server.port}")
    return Check("Server", "ok", "it is ready")


def of_folder(name: str, folder: Path) -> Check:
    """Whether `folder`, which is this user's alone, is so or can be made so."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        return _of_missing(name, folder)
    except OSError as error:
        return Check(name, "fail", f"{folder}: {error.strerror}", "name another with --data-dir")
    if not stat.S_ISDIR(found.st_mode):
        return Check(name, "fail", f"{folder} is no folder", "move it away, or name another with --data-dir")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, "fail", f"{folder} cannot be written", f"chmod u+rwx {folder}")
    if sys.platform != "win32":
        if found.st_uid != os.geteuid():
            return Check(name, "fail", f"{folder} belongs to another user", f"take it over with: chown $USER {folder}")
        if open_ones := _open_to_others(folder):
            told = f"other users can read {', '.join(map(str, open_ones))}"
            return Check(name, "warn", told, f"chmod -R go= {folder}")
    return Check(name, "ok", str(folder))


def _of_sdk() -> Check:
    try:
        found = version("claude-agent-sdk")
    except PackageNotFoundError:
        return Check("Agent SDK", "fail", "it is not installed", "pip install --force-reinstall claude-openai")
    wanted = _required("claude-agent-sdk")
    if wanted in {None, found}:
        return Check("Agent SDK", "ok", found)
    remedy = f"pip install claude-agent-sdk=={wanted}"
    return Check("Agent SDK", "warn", f"{found}, but this claude-openai was made for {wanted}", remedy)


def _required(package: str) -> str | None:
    """The version that our own package pins."""
    with suppress(PackageNotFoundError):
        pinned = (line.partition("==") for line in requires("claude-openai") or ())
        return next((wanted.strip() for name, _, wanted in pinned if name.strip() == package), None)
    return None


def _of_settings(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    found = list(doubts(settings, environ))
    if not found:
        yield Check("Settings", "ok", "valid; see them with: claude-openai config")
    for doubt in found:
        told, _, remedy = doubt.partition("; ")
        yield Check("Settings", "warn", told, remedy or "correct or remove it")


def _of_servers(settings: Settings) -> Iterator[Check]:
    try:
        settled = settle_folders(settings)
    except LaunchError as error:
        yield Check("Temporary", "fail", error.message, error.hint)
    else:
        with suppress(OSError):  # it was made to see that it can be; a running server keeps its own
            settled.runtime.rmdir()
        yield Check("Temporary", "ok", str(settled.runtime))
        for doubt in settled.doubts:
            told, _, remedy = doubt.partition("; ")
            yield Check("Agents", "warn", told, remedy or "correct or remove it")
    servers = running()
    yield of_port(settings.host, settings.port, servers)
    yield from (of_server(server) for server in servers if settings.port and server.port == settings.port)


def _of_data(folder: Path) -> Check:
    check = of_folder("Data folder", folder)
    if check.status == "fail":
        return check
    try:
        saved_runs(folder).recent(1)
    except LaunchError as error:
        return Check("Data folder", "fail", error.message, error.hint)
    return check


def _of_missing(name: str, folder: Path) -> Check:
    nearest = next(parent for parent in folder.absolute().parents if parent.exists())
    if os.access(nearest, os.W_OK | os.X_OK):
        return Check(name, "ok", f"{folder} is made by the first start")
    return Check(name, "fail", f"{folder} cannot be made in {nearest}", "name another with --data-dir")


def _open_to_others(folder: Path) -> list[Path]:
    """The folder itself and the files right in it, as far as they are."""
    return [path for path in (folder, *sorted(folder.iterdir())) if is_open_to_others(path.lstat())]


def _holder(port: int) -> str:
    """Whoever listens there, where the system tells."""
    import psutil  # noqa: PLC0415 -- 27 ms, spent only where the port is taken

    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.pid and each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,):
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"


def _alone(settings: Settings, *, simulate: bool) -> Settings:
    """As they are, but for a server that nobody knows of and that keeps nothing."""
    nobodys = {"host": ("127.0.0.1",), "port": 0, "store": "memory", "warm_processes": 0, "shutdown_timeout": 0.0}
    return settings.model_copy(update={**nobodys, "simulate": simulate})


async def _asked(settings: Settings, login: Mapping[str, str], *, live: bool) -> list[Check]:
    """What Claude Code says of itself and of its login; no model is asked unless `live`."""
    checks: list[Check] = []
    try:
        async with _serving(settings, login) as ready:
            backend = ready.backend.removeprefix("Claude Code ")
            checks.append(Check("Claude Code", "ok", f"{backend}, at {executable(settings)}"))
            checks.append(_of_login(ready))
            if live:
                checks.append(await _turn("Live turn", ready, settings, LIVE_SECONDS))
    except* LaunchError as errors:
        checks.append(_of_failure("Claude Code", errors))
    return checks


async def _self_test(settings: Settings, login: Mapping[str, str]) -> list[Check]:
    checks: list[Check] = []
    try:
        async with _serving(settings, login) as ready:
            checks.append(await _turn("Self-test", ready, settings, SELF_TEST_SECONDS))
    except* LaunchError as errors:
        checks.append(_of_failure("Self-test", errors))
    return checks


def _of_login(ready: wiring.Ready) -> Check:
    if ready.login_remedy:
        return Check("Login", "fail", ready.login or "not signed in", ready.login_remedy)
    return Check("Login", "ok", logs.redacted(ready.login or "not known"))


def _of_failure(name: str, errors: ExceptionGroup[LaunchError]) -> Check:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, LaunchError)  # noqa: S101 -- what `except*` has picked
    return Check(name, "fail", logs.redacted(error.message), error.hint)


@asynccontextmanager
async def _serving(settings: Settings, login: Mapping[str, str]) -> AsyncIterator[wiring.Ready]:
    """A server, ready, for as long as the block lasts.

    Raises:
        ExceptionGroup: of `LaunchError`, where it cannot start, or of `_Interrupted`.
    """
    async with anyio.create_task_group() as group:
        yield await group.start(_serve, settings, login)
        group.cancel_scope.cancel()


async def _serve(settings: Settings, login: Mapping[str, str], *, task_status: TaskStatus[wiring.Ready]) -> None:
    await wiring.serve(settings, login, settle_folders(settings), announce=task_status.started)
    raise _Interrupted  # it ends by itself only where a signal told it to


async def _turn(name: str, ready: wiring.Ready, settings: Settings, seconds: float) -> Check:
    """One request, as any client makes it."""
    key = next((key.get_secret_value() for key in settings.api_keys), "none")
    body = {"messages": [{"role": "user", "content": PROMPT}]}
    began = time.monotonic()
    try:
        async with httpx2.AsyncClient(base_url=ready.url, timeout=seconds, trust_env=False) as client:
            headers = {"authorization": f"Bearer {key}"}
            answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    except httpx2.HTTPError as error:
        told = logs.redacted(str(error) or type(error).__name__)
        return Check(name, "fail", f"no answer within {seconds:g} seconds: {told}", _MORE)
    return _of_answer(name, answer.content, time.monotonic() - began)


def _of_answer(name: str, content: bytes, seconds: float) -> Check:
    try:
        reply = _Reply.model_validate_json(content)
    except ValidationError:
        return Check(name, "fail", "the answer is not understood", _MORE)
    if reply.error and reply.error.code == "shutting_down":
        raise _Interrupted
    if reply.error:
        return Check(name, "fail", logs.redacted(reply.error.message), _MORE)
    said = reply.choices[0].message.content if reply.choices else None
    told = f"{reply.model} said {logs.redacted(said or '')!r} after {seconds:.1f} s"
    return Check(name, "ok" if said else "warn", told, None if said else _MORE)


_MORE: Final = "start the server with --log-level debug and see: claude-openai logs"


class _Interrupted(Exception):
    """A signal ended the server that was to be asked."""


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Error(BaseModel):
    code: str | None = None
    message: str


class _Reply(BaseModel):
    """What is of interest of an answer, or of an error."""

    model: str | None = None
    choices: list[_Choice] = []
    error: _Error | None = None
