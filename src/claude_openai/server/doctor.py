"""The checks of `claude-openai doctor`: whether a server would work on this machine.

Claude Code is checked through a real server, on a free port of this machine, which stores nothing and ends with the
check. Results have no secrets: the kind of the login is Claude Code's own word for it, and all other foreign text goes
through the log's redaction.
"""

import errno
import os
import stat
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from secrets import token_urlsafe
from typing import Final, Literal

import anyio
import httpx2
from anyio.abc import TaskStatus
from pydantic import BaseModel, SecretStr, ValidationError

from claude_openai import logs
from claude_openai.core.failures import SUBSCRIPTION_TERMS
from claude_openai.errors import LaunchError
from claude_openai.server import wiring
from claude_openai.server.backends import executable, start_folders
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings, catalogue, doubts, login_environment
from claude_openai.system.disk import full_disk
from claude_openai.system.instances import ANSWER_SECONDS, Instance, health_of, running
from claude_openai.system.places import Places
from claude_openai.system.private_files import is_open_to_others
from claude_openai.system.serving import listening

Status = Literal["ok", "warn", "fail"]

SELF_TEST_SECONDS: Final = 30.0
"""Timeout of an answer of the simulator; half a second is usual."""

LIVE_SECONDS: Final = 120.0
"""Timeout of an answer of the real model."""

OLDEST_PYTHON: Final = (3, 11)

_CLAUDE_COMMAND: Final = next(each.variables for each in catalogue() if each.name == "claude_command")

PROMPT: Final = "Say hello"
"""The prompt of the test turns; the simulator answers "hello"."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check: `told` is a sentence about it, `remedy` what the user can do if it is not ok."""

    name: str
    status: Status
    told: str
    remedy: str | None = None


def of_machine(settings: Settings, environ: Mapping[str, str]) -> Iterator[Check]:
    """The checks that do not start Claude Code."""
    yield from of_installation()
    found = list(doubts(settings, environ))
    if not found:
        yield Check("Settings", "ok", "valid; see them with: claude-openai config")
    for doubt in found:
        problem, _, remedy = doubt.partition("; ")
        yield Check("Settings", "warn", problem, remedy or "correct or remove it")
    yield from _of_servers(settings)
    places = Places.of(settings)
    data = places.data
    check = of_folder("Data folder", data)
    if check.status != "fail":
        try:
            STORES[settings.store].read(settings, places).recent(1)
        except LaunchError as error:
            check = Check("Data folder", "fail", error.message, error.hint)
    yield check
    full = full_disk(data, Path(tempfile.gettempdir()))
    yield Check("Disk", "fail", full, "free some") if full else Check("Disk", "ok", "has room")


def of_installation() -> Iterator[Check]:
    """The checks that need no settings: of Python and of the Agent SDK."""
    yield of_python(sys.version_info[:3])
    try:
        found = version("claude-agent-sdk")
    except PackageNotFoundError:
        yield Check("Agent SDK", "fail", "it is not installed", "pip install --force-reinstall claude-openai")
        return
    wanted = None
    with suppress(PackageNotFoundError):
        pinned = (line.partition("==") for line in requires("claude-openai") or ())
        wanted = next((pin.strip() for name, _, pin in pinned if name.strip() == "claude-agent-sdk"), None)
    if wanted in {None, found}:
        yield Check("Agent SDK", "ok", found)
    else:
        remedy = f"pip install claude-agent-sdk=={wanted}"
        yield Check("Agent SDK", "warn", f"{found}, but this server was made for {wanted}", remedy)


def of_claude_code(settings: Settings, environ: Mapping[str, str], *, live: bool) -> Iterator[Check]:
    """The checks of Claude Code and its login, of a turn with the simulated model, and with `live` of a turn with the
    real model.

    Raises:
        KeyboardInterrupt: a signal ended a check.
    """
    login = login_environment(environ)
    secrets = [*(key.get_secret_value() for key in settings.api_keys), *logs.secrets_in(login)]
    logs.configure(None, logs.Memory(), secrets=secrets)
    interrupted = False
    variable = next((name for name in _CLAUDE_COMMAND if environ.get(name) == settings.claude_command), None)
    # The servers of the checks: on a free port, and without a store.
    own: dict[str, object] = {
        "host": ("127.0.0.1",),
        "port": 0,
        "store": "memory",
        "warm_processes": 0,
        "shutdown_timeout": 0.0,
    }
    if settings.needs_key and not settings.api_keys:  # the keys of `claude-openai keys` are in no file
        own["api_key"] = (SecretStr(token_urlsafe(32)),)
    real, simulated = (settings.model_copy(update={**own, "simulate": simulate}) for simulate in (False, True))
    try:
        others = settings.serves_others
        for checks in (
            partial(_of_backend, real, login, live=live, serves_others=others),
            partial(_of_simulated_turn, simulated, login),
        ):
            for check in anyio.run(checks):
                remedy = (
                    check.remedy.replace("--claude-command", variable) if check.remedy and variable else check.remedy
                )
                yield replace(check, remedy=remedy)
    except* _Interrupted:
        interrupted = True
    if interrupted:
        raise KeyboardInterrupt


def of_python(found: tuple[int, ...]) -> Check:
    """Whether the interpreter is new enough."""
    number = ".".join(map(str, found))
    if found >= OLDEST_PYTHON:
        return Check("Python", "ok", number)
    return Check("Python", "fail", f"{number} is too old", "install Python 3.11 or newer")


def of_port(hosts: Iterable[str], port: int, servers: Sequence[Instance]) -> Check:
    """Whether `port` is free, or one of `servers` has it."""
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
    """Whether a running server can answer requests, as its `/health` reports; upstream's health is part of that."""
    try:
        health = health_of(server)
    except ConnectionRefusedError:
        return Check("Server", "warn", "it is stopping, and accepts no connections", "start it again once it has ended")
    if health is None:
        problem = f"process {server.pid} does not answer within {ANSWER_SECONDS:g} seconds"
        return Check("Server", "fail", problem, f"claude-openai stop --port {server.port} --force")
    if not health.get("ready", True):
        problem = f"it is not ready: {logs.redacted(str(health.get('reason')))}"
        return Check("Server", "fail", problem, f"then see: claude-openai status --port {server.port}")
    return Check("Server", "ok", "it is ready")


def of_folder(name: str, folder: Path) -> Check:
    """Whether `folder` can be used, or made, and whether it is this user's alone."""
    try:
        found = folder.stat()
    except FileNotFoundError:
        nearest = next(parent for parent in folder.absolute().parents if parent.exists())
        if os.access(nearest, os.W_OK | os.X_OK):
            return Check(name, "ok", f"{folder} is made by the first start")
        return Check(name, "fail", f"{folder} cannot be made in {nearest}", "name another with --data-dir")
    except OSError as error:
        return Check(name, "fail", f"{folder}: {error.strerror}", "name another with --data-dir")
    if not stat.S_ISDIR(found.st_mode):
        return Check(name, "fail", f"{folder} is not a folder", "move it away, or name another with --data-dir")
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(name, "fail", f"{folder} cannot be written", f"chmod u+rwx {folder}")
    if sys.platform != "win32":
        if found.st_uid != os.geteuid():
            return Check(name, "fail", f"{folder} belongs to another user", f"take it over with: chown $USER {folder}")
        if readable := [str(path) for path in (folder, *sorted(folder.iterdir())) if is_open_to_others(path.lstat())]:
            problem = f"other users can read {', '.join(readable)}"
            return Check(name, "warn", problem, f"chmod -R go= {folder}")
    return Check(name, "ok", str(folder))


def _of_servers(settings: Settings) -> Iterator[Check]:
    """The checks of the runtime folder, of the port, and of a server that has it."""
    try:
        folders = start_folders(settings)
    except LaunchError as error:
        yield Check("Temporary", "fail", error.message, error.hint)
    else:
        with suppress(OSError):  # it was made only as a test; a running server keeps its own
            folders.runtime.rmdir()
        yield Check("Temporary", "ok", str(folders.runtime))
        for doubt in folders.doubts:
            problem, _, remedy = doubt.partition("; ")
            yield Check("Agents", "warn", problem, remedy or "correct or remove it")
    servers = running()
    yield of_port(settings.host, settings.port, servers)
    yield from (of_server(server) for server in servers if settings.port and server.port == settings.port)


def _holder(port: int) -> str:
    """The program that listens on `port`, if the operating system reports it."""
    import psutil  # noqa: PLC0415 -- 27 ms, spent only where the port is taken

    with suppress(psutil.Error, OSError):
        for each in psutil.net_connections("tcp"):
            if each.pid and each.status == psutil.CONN_LISTEN and each.laddr[1:] == (port,):
                return f"{psutil.Process(each.pid).name()} (process {each.pid})"
    return "another program"


async def _of_backend(settings: Settings, login: Mapping[str, str], *, live: bool, serves_others: bool) -> list[Check]:
    """The checks of Claude Code's version and login, and with `live` of a turn with the real model."""
    checks: list[Check] = []
    try:
        async with _serving(settings, login) as ready:
            backend = ready.backend.removeprefix("Claude Code ")
            checks.append(Check("Claude Code", "ok", f"{backend}, at {executable(settings)}"))
            if ready.login_remedy:
                checks.append(Check("Login", "fail", ready.login or "not signed in", ready.login_remedy))
            else:
                terms = SUBSCRIPTION_TERMS if ready.is_subscription and serves_others else None
                checks.append(
                    Check("Login", "warn" if terms else "ok", logs.redacted(ready.login or "not known"), terms)
                )
            if live:
                checks.append(await _turn("Live turn", ready, settings, LIVE_SECONDS))
    except* LaunchError as errors:
        checks.append(_of_failure("Claude Code", errors))
    return checks


async def _of_simulated_turn(settings: Settings, login: Mapping[str, str]) -> list[Check]:
    checks: list[Check] = []
    try:
        async with _serving(settings, login) as ready:
            checks.append(await _turn("Self-test", ready, settings, SELF_TEST_SECONDS, "a simulated "))
    except* LaunchError as errors:
        checks.append(_of_failure("Self-test", errors))
    return checks


def _of_failure(name: str, errors: ExceptionGroup[LaunchError]) -> Check:
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, LaunchError)  # noqa: S101 -- `except*` has selected it
    return Check(name, "fail", logs.redacted(error.message), error.hint)


@asynccontextmanager
async def _serving(settings: Settings, login: Mapping[str, str]) -> AsyncIterator[wiring.Ready]:
    """A context manager with a ready server, which runs during the block.

    Raises:
        ExceptionGroup: of `LaunchError` if it cannot start, or of `_Interrupted`.
    """

    async def serve(*, task_status: TaskStatus[wiring.Ready]) -> None:
        await wiring.serve(settings, login, start_folders(settings), announce=task_status.started)
        raise _Interrupted  # only a signal ends it before the block ends

    async with anyio.create_task_group() as group:
        yield await group.start(serve)
        group.cancel_scope.cancel()


async def _turn(name: str, ready: wiring.Ready, settings: Settings, seconds: float, kind: str = "") -> Check:
    """The check of one request, sent as a client sends it. `kind` comes before the model's name."""
    key = next((key.get_secret_value() for key in settings.api_keys), "none")
    body = {"messages": [{"role": "user", "content": PROMPT}]}
    began = time.monotonic()
    try:
        async with httpx2.AsyncClient(base_url=ready.url, timeout=seconds, trust_env=False) as client:
            headers = {"authorization": f"Bearer {key}"}
            answer = await client.post("/v1/chat/completions", json=body, headers=headers)
    except httpx2.HTTPError as error:
        problem = logs.redacted(str(error) or type(error).__name__)
        return Check(name, "fail", f"no answer within {seconds:g} seconds: {problem}", _MORE)
    took = time.monotonic() - began
    try:
        reply = _Reply.model_validate_json(answer.content)
    except ValidationError:
        return Check(name, "fail", "the answer could not be parsed", _MORE)
    if reply.error and reply.error.code == "shutting_down":
        raise _Interrupted
    if reply.error:
        return Check(name, "fail", logs.redacted(reply.error.message), _MORE)
    text = reply.choices[0].message.content if reply.choices else None
    result = f"{kind}{reply.model} said {logs.redacted(text or '')!r} after {took:.1f} s"
    return Check(name, "ok" if text else "warn", result, None if text else _MORE)


_MORE: Final = "start the server with --log-level debug and see: claude-openai logs"


class _Interrupted(Exception):
    """A signal ended the server of a check."""


class _Message(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Error(BaseModel):
    code: str | None = None
    message: str


class _Reply(BaseModel):
    """The parts of an answer or of an error that a check reads."""

    model: str | None = None
    choices: list[_Choice] = []
    error: _Error | None = None
