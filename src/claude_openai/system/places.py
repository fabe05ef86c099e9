"""Where a server keeps what it writes and reads again, and the files it was configured with: one list for all of it.

Whatever opens such a path takes it from `Places`, and each field of `Places` is out of bounds for agents
(`claude_code.agent.protected_paths`). So a path that is added here cannot be forgotten there.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final, Self

from claude_openai.errors import LaunchError
from claude_openai.logs.destinations import BACKUPS
from claude_openai.settings import Settings
from claude_openai.system.private_files import make_private_folder
from claude_openai.system.runtime_folders import LONGEST, runtime_folders
from claude_openai.system.workspace import AllowedFolders, folded, within

_NO_COMMANDS: Final = "the path {} is too long for the sockets of agents' commands; set TMPDIR to a shorter one"

_NARROWER: Final = "name folders for agents with --allowed-working-directory-prefixes"


@dataclass(frozen=True, slots=True)
class Places:
    """Files and folders; each path is absolute.

    `data` has the runs, `logs` lies in it and has the logs of servers in the background, `output` is the cli backend's.
    `log_files` are the log and what is put aside of it. `config` and `keys` are files that settings were read from.
    `runtime` are all places where servers of this user may keep the registry and scratch folders, this one or another.
    `private` is what else the owner keeps from agents.
    """

    data: Path
    logs: Path
    output: Path
    log_files: tuple[Path, ...]
    config: Path | None
    keys: Path | None
    runtime: tuple[Path, ...]
    private: tuple[Path, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Nothing is made or looked at on the disk."""
        data = _absolute(settings.data_dir)
        logs = [_absolute(named) for named in (settings.log_file, settings.trace_file) if named]
        return cls(
            data=data,
            logs=data / "logs",
            output=_absolute(settings.output_dir),
            log_files=tuple(Path(f"{log}{aside}") for log in logs for aside in _ASIDE),
            config=_absolute(settings.config_file) if settings.config_file else None,
            keys=_absolute(settings.api_key_file.path) if settings.api_key_file else None,
            runtime=runtime_folders(),
            private=tuple(map(_absolute, settings.private_paths)),
        )

    @property
    def log(self) -> Path | None:
        """The file that the log goes to, where it goes to one."""
        return self.log_files[0] if self.log_files else None

    def out_of_bounds(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(map(str, self._paths()))

    def _paths(self) -> Iterator[Path]:
        for field in fields(self):
            value: Path | tuple[Path, ...] | None = getattr(self, field.name)
            if isinstance(value, tuple):
                yield from value
            elif value:
                yield value


@dataclass(frozen=True, slots=True)
class Settled:
    """What a start has settled on. `runtime` is the one of `places.runtime` that this server uses, made and this user's
    alone; no agent works in a folder around it or in it. `workspace` is where agents work, None where there are none.
    `doubts` are what was surely not meant, a sentence and a remedy each.
    """

    places: Places
    runtime: Path
    workspace: AllowedFolders | None
    doubts: tuple[str, ...] = ()


def settle(settings: Settings) -> Settled:
    """Choose where this server keeps what is its own, so that its agents cannot reach it.

    The folder that a server is started in, which agents get where none is named, may be one that holds everything
    ("/") or belongs to a server: then there are no agents, and all else works.

    Raises:
        LaunchError: the named folders leave no such place, or none can be made.
    """
    places = Places.of(settings)
    if settings.backend == "cli":
        return Settled(places, _runtime(places, ()), None)
    named = settings.allowed_working_directory_prefixes
    workspace = AllowedFolders([str(Path(folder).expanduser()) for folder in named] or ["."])
    try:
        _refuse_own(places, workspace.prefixes)
        runtime = _runtime(places, workspace.prefixes)
        return Settled(places, runtime, workspace, (_NO_COMMANDS.format(runtime),) if _is_too_long(runtime) else ())
    except LaunchError as error:
        if named or settings.default_mode == "agent":
            raise
        return Settled(places, _runtime(places, ()), None, (f"there are no agents: {error.message}; {error.hint}",))


def _refuse_own(places: Places, allowed: Sequence[str]) -> None:
    """An allowed folder in what the server keeps would be allowed with all that the server puts there."""
    for folder in allowed:
        for own in (*places.runtime, places.logs, places.output):
            if _lies_in(folder, own):
                raise LaunchError(
                    f"agents may not work in {folder}: the server keeps files of its own there", _NARROWER
                )
        if _lies_in(folder, places.data) and _lies_in(str(places.data), Path(folder)):
            raise LaunchError(f"agents may not work in {folder}: it is --data-dir", f"name another, or {_NARROWER}")


def _runtime(places: Places, allowed: Sequence[str]) -> Path:
    """The first place that can be used and lies in none of the folders `allowed`: a process needs its own part of it,
    and a sandbox cannot show a command that and hide the rest (measured).
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
    """By all that their names may stand for."""
    return any(within(folded(each), folded(other)) for each in _names(path) for other in _names(str(folder)))


def _names(path: str) -> tuple[str, str]:
    return str(Path(path).absolute()), str(Path(path).resolve())


def _absolute(named: str | Path) -> Path:
    return Path(named).expanduser().absolute()


_ASIDE: Final = ("", *(f".{number}" for number in range(1, BACKUPS + 1)))
"""What follows the log file's name where it was put aside."""
