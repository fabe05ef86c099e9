"""The running servers of this user, as files by which any command finds them.

One of the places for such (`runtime`), which is this user's alone, has a folder for each server, named by its port:

    claude-openai.pid     the process, when it was created (Unix seconds), the seconds a stop may take: a line each
    claude-openai.port    the port, its hosts between commas, its URL, its log file (may be empty): a line each

A server writes them once it is ready and removes them at its end. While it runs it holds a lock on its folder, which
the kernel frees however the server ends; that also keeps away what cleans old files out of temporary folders.

A process is taken for a server only if it is this user's, was created at the very time the file tells, and runs our
command. Nothing else is listed or may be signalled: what such a file leaves behind is removed by the next start.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from claude_openai.errors import LaunchError
from claude_openai.system import private_folders as runtime

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    import psutil

PID_FILE: Final = "claude-openai.pid"
PORT_FILE: Final = "claude-openai.port"

SAME_TIME_SECONDS: Final = 2.0
"""Linux counts create times from a boot time in whole seconds that moves with the clock. No id comes round so soon."""

TRIES: Final = 50
PAUSE_SECONDS: Final = 0.01
"""Another start may be about to remove the folder that this one takes; it needs it for less than a millisecond."""


ANSWER_SECONDS: Final = 3.0
"""A server that runs answers `/health` within milliseconds, however busy it is."""

LONGEST_ANSWER: Final = 1_000_000
"""Bytes of what `/health` answers; it has a thousand."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One server. `hosts` are what it listens on, `url` where a client on this machine finds it.

    `stop_seconds` is how long it may take to stop, `log_file` None where its log is in no file.
    """

    pid: int
    port: int
    hosts: tuple[str, ...]
    url: str
    started_at: float
    stop_seconds: float
    log_file: Path | None = None

    @classmethod
    def of_this_process(
        cls, *, port: int, hosts: tuple[str, ...], url: str, stop_seconds: float, log_file: Path | None
    ) -> Self:
        """The server that this process is."""
        import psutil  # noqa: PLC0415 -- 27 ms, which no other command than those about servers needs

        process = psutil.Process()
        return cls(process.pid, port, hosts, url, process.create_time(), stop_seconds, log_file)


def running(folders: Iterable[Path] | None = None) -> list[Instance]:
    """Every server of this user that runs, by port, wherever one may be known: a place that is not this user's alone
    has none.
    """
    places = [each for each in folders or runtime.runtime_folders() if runtime.is_private(each)]
    found = (_read(place) for folder in places for place in _places(folder))
    return sorted((each for each in found if each and process_of(each)), key=lambda each: each.port)


def process_of(instance: Instance) -> "psutil.Process | None":
    """The process of a server that runs; None where it has ended or its id belongs to another by now."""
    import psutil  # noqa: PLC0415 -- see above

    with suppress(psutil.Error, OSError):
        process = psutil.Process(instance.pid)
        if abs(process.create_time() - instance.started_at) < SAME_TIME_SECONDS and _is_ours(process):
            return process
    return None


def health_of(instance: Instance) -> Mapping[str, object] | None:
    """What a server says of itself at `/health`; None where it does not answer, or says something else.

    Raises:
        ConnectionRefusedError: its port is closed.
    """
    address = urlsplit(instance.url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)) as connection:
        try:
            connection.request("GET", "/health")
            answer: object = json.loads(connection.getresponse().read(LONGEST_ANSWER))
        except ConnectionRefusedError:
            raise
        except (OSError, HTTPException, ValueError):
            return None
    return answer if isinstance(answer, dict) else None


@contextmanager
def registry(folder: Path) -> Iterator[Callable[[Instance], None]]:
    """A block with a function that makes a server known in `folder`, one of the places for such, until the block ends.
    What dead servers left there is removed first.

    Raises:
        LaunchError: the folder is not this user's alone, or cannot be made; and from the function, if another server
            is known by the same port.
    """
    _make(folder)
    _sweep(folder)
    with ExitStack() as known:
        known.callback(_remove_if_empty, folder)
        yield lambda instance: known.enter_context(_known(folder, instance))


def _sweep(folder: Path) -> None:
    for place in _places(folder):
        with suppress(OSError), ExitStack() as held:
            if not _runs(place) and _locked(place, held):
                _remove(place)


@contextmanager
def _known(folder: Path, instance: Instance) -> Iterator[None]:
    with ExitStack() as held:
        place = _taken(folder, instance.port, held)
        log_file = "" if instance.log_file is None else str(instance.log_file)
        _write(place / PORT_FILE, instance.port, ",".join(instance.hosts), instance.url, log_file)
        _write(place / PID_FILE, instance.pid, instance.started_at, instance.stop_seconds)
        try:
            yield
        finally:
            _remove(place)


def _taken(folder: Path, port: int, held: ExitStack) -> Path:
    """The folder of `port`, locked until `held` ends."""
    place = folder / str(port)
    for _ in range(TRIES):
        with suppress(FileNotFoundError):  # removed by the last server to end
            _make(folder)
            place.mkdir(mode=0o700, exist_ok=True)
            if not _runs(place) and _locked(place, held):
                return place
        time.sleep(PAUSE_SECONDS)
    raise LaunchError(
        f"another server of yours is known by port {port}",
        f"see it with claude-openai status --port {port}, or name another with --port",
    )


def _locked(place: Path, held: ExitStack) -> bool:
    """Take the lock of a folder, if nobody has it. Where folders have none (Windows) the process alone decides."""
    if sys.platform == "win32":
        return True
    descriptor = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), place.lstat())  # else it was removed and made anew in between


def _is_ours(process: "psutil.Process") -> bool:
    """Whether it is this user's and runs our command: by its name, by its module, or by an interpreter with either."""
    if sys.platform != "win32" and process.uids().effective != os.geteuid():
        return False
    return any(word == "claude_openai" or Path(word).stem == "claude-openai" for word in process.cmdline())


def _runs(place: Path) -> bool:
    instance = _read(place)
    return instance is not None and process_of(instance) is not None


def _make(folder: Path) -> None:
    try:
        runtime.made(folder)
    except OSError as error:
        raise LaunchError(
            f"cannot use the folder {folder}: {error.strerror or error}",
            "set TMPDIR to a folder of your own that can be written",
        ) from error


def _places(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.name.isdecimal() and not entry.is_symlink()]
    except OSError:
        return []


def _read(place: Path) -> Instance | None:
    """What the files of a server say; None where they are not there or not whole."""
    try:
        port, hosts, url, log_file = (place / PORT_FILE).read_text("utf-8").split("\n")[:4]
        pid, started_at, stop_seconds = (place / PID_FILE).read_text("utf-8").split("\n")[:3]
        log = Path(log_file) if log_file else None
        return Instance(int(pid), int(port), tuple(hosts.split(",")), url, float(started_at), float(stop_seconds), log)
    except (OSError, ValueError):
        return None


def _write(path: Path, *lines: object) -> None:
    """At once and as a whole: a reader finds all of it or nothing."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "w", encoding="utf-8", opener=_private) as file:
        file.writelines(f"{line}\n" for line in lines)
    new.replace(path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _remove(place: Path) -> None:
    """Nothing but what a server has written."""
    with suppress(OSError):
        for name in (PID_FILE, PORT_FILE):
            (place / name).unlink(missing_ok=True)
            (place / f"{name}.new").unlink(missing_ok=True)
        place.rmdir()


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
