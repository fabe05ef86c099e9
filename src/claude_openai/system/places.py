"""`Places`: all paths of a server, for its own files and for the files that it was configured with.

All code takes such paths from `Places`, and agents may not access any of its fields
(`claude_code.agent.protected_paths`). So a path that is added here is protected there too.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from pathlib import Path
from typing import Final, Self

from claude_openai.errors import LaunchError
from claude_openai.logs.destinations import BACKUPS
from claude_openai.settings import Settings
from claude_openai.system.private_files import make_private_folder
from claude_openai.system.runtime_folders import LONGEST, runtime_folders
from claude_openai.system.workspace import AllowedFolders, folded, unprotectable_name, within

_NO_COMMANDS: Final = "the path {} is too long for the sockets of agents' commands; set TMPDIR to a shorter one"

_NARROWER: Final = "name folders for agents with --allowed-working-directory-prefixes"


@dataclass(frozen=True, slots=True)
class Places:
    """Files and folders as absolute paths.

    `data` is the folder of the run store, `logs` a folder in it with the logs of background servers, `named_keys` the
    file in it of the keys that a command has made, `output` the cli backend's folder. `log_files` are the log and its
    rotated files. `config` and `keys` are files that settings were read from. `runtime` are all folders where this or
    another server of this user may keep the registry and scratch folders. `private` are further paths that the operator
    keeps from agents.
    """

    data: Path
    logs: Path
    named_keys: Path
    output: Path
    log_files: tuple[Path, ...]
    config: Path | None
    keys: Path | None
    runtime: tuple[Path, ...]
    private: tuple[Path, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The paths for `settings`, without access to the disk."""
        data = _absolute(settings.data_dir)
        logs = [_absolute(named) for named in (settings.log_file, settings.trace_file) if named]
        return cls(
            data=data,
            logs=data / "logs",
            named_keys=_absolute(settings.named_keys_file),
            output=_absolute(settings.output_dir),
            log_files=tuple(Path(f"{log}{suffix}") for log in logs for suffix in _ROTATED),
            config=_absolute(settings.config_file) if settings.config_file else None,
            keys=_absolute(settings.api_key_file.path) if settings.api_key_file else None,
            runtime=runtime_folders(),
            private=tuple(map(_absolute, settings.private_paths)),
        )

    @property
    def log(self) -> Path | None:
        """The log file; None if the log is not written to a file."""
        return self.log_files[0] if self.log_files else None

    def out_of_bounds(self) -> tuple[str, ...]:
        """All paths."""
        values: list[Path | tuple[Path, ...] | None] = [getattr(self, field.name) for field in fields(self)]
        paths = chain.from_iterable(value if isinstance(value, tuple) else (value,) for value in values)
        return tuple(str(path) for path in paths if path)


@dataclass(frozen=True, slots=True)
class StartFolders:
    """The folders that a start has chosen. `runtime` is the one of `places.runtime` that this server uses: it exists,
    is this user's alone, and no agent works in it or in a folder that contains it. `workspace` has the agents' folders,
    None if there are no agents. `doubts` are warnings for the operator: a sentence and a remedy each.
    """

    places: Places
    runtime: Path
    workspace: AllowedFolders | None
    doubts: tuple[str, ...] = ()


def choose_folders(settings: Settings, *, agents: bool = True) -> StartFolders:
    """Choose a runtime folder for this server that its agents cannot reach; `agents`: its backend can have any.

    If the operator names no folders for agents, they get the working directory of the server. If that contains all
    runtime folders ("/"), or is a server's own folder, there are no agents, and everything else works.

    Raises:
        LaunchError: the named folders leave no runtime folder, or none can be created.
    """
    places = Places.of(settings)
    if not agents:
        doubt = f"--default-mode agent has no effect with --backend {settings.backend}, which has no agent profile"
        return StartFolders(places, _runtime(places, ()), None, (doubt,) if settings.default_mode == "agent" else ())
    named = settings.allowed_working_directory_prefixes
    workspace = AllowedFolders([str(Path(folder).expanduser()) for folder in named] or ["."])
    try:
        _refuse_own(places, workspace.prefixes)
        _refuse_unprotectable(places, workspace.prefixes)
        runtime = _runtime(places, workspace.prefixes)
        missing = (
            f"--allowed-working-directory-prefixes {folder} does not exist; make that folder, or name another"
            for folder in workspace.prefixes
            if not Path(folder).exists()
        )
        no_commands = (_NO_COMMANDS.format(runtime),) if _is_too_long(runtime) else ()
        return StartFolders(places, runtime, workspace, (*missing, *no_commands))
    except LaunchError as error:
        if named or settings.default_mode == "agent":
            raise
        return StartFolders(
            places, _runtime(places, ()), None, (f"there are no agents: {error.message}; {error.hint}",)
        )


def _refuse_own(places: Places, allowed: Sequence[str]) -> None:
    """Refuse an allowed folder inside the server's own folders: agents could access the server's files there."""
    for folder in allowed:
        for own in (*places.runtime, places.logs, places.output):
            if _lies_in(folder, own):
                raise LaunchError(
                    f"agents may not work in {folder}: the server keeps files of its own there", _NARROWER
                )
        if _lies_in(folder, places.data) and _lies_in(str(places.data), Path(folder)):
            raise LaunchError(f"agents may not work in {folder}: it is --data-dir", f"name another, or {_NARROWER}")


def _refuse_unprotectable(places: Places, allowed: Sequence[str]) -> None:
    """Refuse names that Claude Code's rules cannot express (`unprotectable_name`). They matter in allowed folders, and
    in what is protected there.
    """
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 -- may be unknown
    protected = [path for path in (*map(Path, places.out_of_bounds()), home) if _within_any(path, allowed)]
    for path in (*map(Path, allowed), *protected):
        if bad := unprotectable_name(str(path)):
            raise LaunchError(
                f"agents could reach {str(path)!r}, which cannot be protected: its name {bad!r} has a backslash, or "
                "white space at its end",
                f"rename it, or {_NARROWER}",
            )


def _within_any(path: Path, allowed: Sequence[str]) -> bool:
    return any(_lies_in(str(path), Path(folder)) for folder in allowed)


def _runtime(places: Places, allowed: Sequence[str]) -> Path:
    """The first usable runtime folder outside the folders `allowed`: a process needs its own part of the folder, and a
    sandbox cannot show that part to a command and hide the rest (measured).
    """
    apart = [place for place in places.runtime if not any(_lies_in(str(place), Path(folder)) for folder in allowed)]
    if not apart:
        raise LaunchError(
            f"agents could reach the server's temporary files: {', '.join(map(str, places.runtime))} lie in allowed "
            f"folders ({', '.join(allowed)})",
            f"set TMPDIR to a folder outside of them, or {_NARROWER}",
        )
    faults = []
    for place in sorted(apart, key=_is_too_long):
        try:
            make_private_folder(place)
        except OSError as error:
            faults.append(f"{place}: {error.strerror or error}")
        else:
            return place
    raise LaunchError(
        f"cannot make a temporary folder ({'; '.join(faults)})", "set TMPDIR to a folder that can be written"
    )


def _is_too_long(place: Path) -> bool:
    return sys.platform == "linux" and len(bytes(place.resolve())) > LONGEST


def _lies_in(path: str, folder: Path) -> bool:
    """Whether `path` is in `folder`, with and without links resolved, and in any spelling of the names."""
    paths, folders = ((str(each.absolute()), str(each.resolve())) for each in (Path(path), folder))
    return any(within(folded(each), folded(other)) for each in paths for other in folders)


def _absolute(named: str | Path) -> Path:
    return Path(named).expanduser().absolute()


_ROTATED: Final = ("", *(f".{number}" for number in range(1, BACKUPS + 1)))
"""The suffixes of the log file and of its rotated files."""
