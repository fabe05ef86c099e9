"""The values of the setting `backend`: what each declares, and how it is built. Nothing else asks for the name.

A backend is loaded when it is built: a start of the server may start a process for it before (`first_process`).
"""

import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from claude_openai.claude_code.cli import CliBackend, CliSettings, installed_cli
from claude_openai.claude_code.processes.executables import bundled_cli
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.claude_code.sdk.capabilities import CAPABILITIES as SDK_CAPABILITIES
from claude_openai.claude_code.sdk.waiting import FirstProcess, first_process
from claude_openai.claude_code.stream_json.launch import ClaudeCodeExecutable
from claude_openai.core.ports import Capabilities
from claude_openai.errors import LaunchError
from claude_openai.server.stores import STORES
from claude_openai.settings import Settings
from claude_openai.settings.machine import available_memory
from claude_openai.system.places import StartFolders, choose_folders

if TYPE_CHECKING:
    from claude_openai.claude_code.sdk import SdkBackend

ScratchFolders = Callable[[], AbstractContextManager[Scratch]]


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """What processes start with: a folder for each, and the process that the server's start began with, if any."""

    scratch: ScratchFolders
    first: FirstProcess | None


@dataclass(frozen=True, slots=True)
class BackendKind:
    """One kind of backend. `default_executable` returns the Claude Code that it runs unless the operator names another.
    `start_first` is a context manager with the process that a start of the server begins with, while the backend is
    loaded; `build` gets the settings, the path of Claude Code, its environment, and the folders.
    """

    capabilities: Capabilities
    default_executable: Callable[[], object]
    start_first: Callable[
        [Settings, str, Mapping[str, str], ScratchFolders], AbstractAsyncContextManager[FirstProcess | None]
    ]
    build: Callable[
        [Settings, str, Mapping[str, str], StartFolders, ProcessStart],
        "SdkBackend | CliBackend",
    ]


def _sdk(
    settings: Settings,
    cli: str,
    environment: Mapping[str, str],
    folders: StartFolders,
    start: ProcessStart,
) -> "SdkBackend":
    from claude_openai.claude_code.sdk import (  # noqa: PLC0415 -- half a second, in which the first process starts
        AgentPolicy,
        RecyclePolicy,
        SdkBackend,
        SdkSettings,
    )

    policy = AgentPolicy(folders.workspace, folders.places.out_of_bounds(), (cli,)) if folders.workspace else None
    sdk_settings = SdkSettings(
        cli=cli,
        environment=environment,
        max_retries=settings.max_retries,
        max_tool_corrections=settings.tool_retries,
        request_timeout=settings.request_timeout,
        warm_processes=None if settings.warm_processes == "auto" else settings.warm_processes,
        max_processes=settings.max_processes,
        available_memory=available_memory,
        recycle_policy=RecyclePolicy(settings.max_process_turns, settings.max_process_memory),
        agent_policy=policy,
    )
    return SdkBackend(sdk_settings, start.scratch, start.first)


def _first_of_sdk(
    settings: Settings, cli: str, environment: Mapping[str, str], scratch: ScratchFolders
) -> AbstractAsyncContextManager[FirstProcess | None]:
    claude_code = ClaudeCodeExecutable.supervised(cli, environment, settings.max_retries, settings.request_timeout)
    return first_process(claude_code, scratch)


def _cli(
    settings: Settings,
    cli: str,
    environment: Mapping[str, str],
    folders: StartFolders,
    start: ProcessStart,
) -> CliBackend:
    cli_settings = CliSettings(
        cli=cli,
        environment=environment,
        max_retries=settings.max_retries,
        timeout=settings.process_timeout_ms / 1000,
        output=folders.places.output if STORES[settings.store].is_on_disk else None,
        retention_days=settings.retention_days,
    )
    return CliBackend(cli_settings, start.scratch)


BACKENDS: Final[Mapping[str, BackendKind]] = {
    "sdk": BackendKind(SDK_CAPABILITIES, bundled_cli, _first_of_sdk, _sdk),
    "cli": BackendKind(CliBackend.CAPABILITIES, installed_cli, lambda *_: nullcontext(), _cli),
}


def start_first_process(
    settings: Settings, environment: Mapping[str, str], scratch: ScratchFolders
) -> AbstractAsyncContextManager[FirstProcess | None]:
    """A context manager with the process that a start of the server begins with, if there is one.

    Raises:
        LaunchError: there is no Claude Code.
    """
    return BACKENDS[settings.backend].start_first(settings, executable(settings), environment, scratch)


def build_backend(
    settings: Settings,
    environment: Mapping[str, str],
    folders: StartFolders,
    scratch: ScratchFolders,
    first: FirstProcess | None = None,
) -> "SdkBackend | CliBackend":
    """The backend of the settings; `first` is of `start_first_process`.

    Raises:
        LaunchError: there is no Claude Code.
    """
    return BACKENDS[settings.backend].build(
        settings, executable(settings), environment, folders, ProcessStart(scratch, first)
    )


def executable(settings: Settings) -> str:
    """The path of the Claude Code that is run.

    Raises:
        LaunchError: it is not there.
    """
    wanted = settings.claude_command or str(BACKENDS[settings.backend].default_executable())
    found = shutil.which(str(Path(wanted).expanduser()))
    if found is None:
        raise LaunchError(
            f"there is no Claude Code at {wanted}",
            "name another with --claude-command, or leave it out for the one that came with the server"
            if settings.claude_command
            else "install it with: pip install --force-reinstall claude-agent-sdk; or name yours with --claude-command",
        )
    return str(Path(found).absolute())


def start_folders(settings: Settings) -> StartFolders:
    """The folders of this start (`system.places.choose_folders`), without those of agents if the backend has none."""
    return choose_folders(settings, agents=BACKENDS[settings.backend].capabilities.agent)
