"""The registry of this user's running servers: files by which any command finds them.

One of the runtime folders (`runtime_folders`), which is this user's alone, has a folder for each server, named by its
port:

    claude-openai.pid     the process, when it was created (Unix seconds), the seconds a stop may take, the identity of
                          the process (may be missing): a line each
    claude-openai.port    the port, its hosts between commas, its URL, its log file (may be empty), the owner's token
                          (may be missing), the home that it was started with (may be missing): a line each

A server writes them when it is ready and removes them when it stops. While it runs it holds a lock on its folder
(not on Windows), which the kernel releases however the server ends; programs that clean old files out of temporary
folders leave a locked folder alone.

A process counts as a server only if it is this user's, is the one that the file records (`process_identity`), and runs
our command. No other process is listed or signalled. The next start removes the files of dead servers.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from claude_openai.errors import LaunchError
from claude_openai.system.locks import try_lock
from claude_openai.system.private_files import PRIVATE_FOLDER, is_private, make_private_folder, private_opener
from claude_openai.system.process_identity import identity_of, is_running
from claude_openai.system.runtime_folders import runtime_folders
from claude_openai.text import COMMANDS_CLIENT

if TYPE_CHECKING:
    import psutil

PID_FILE: Final = "claude-openai.pid"
PORT_FILE: Final = "claude-openai.port"

TRIES: Final = 50
PAUSE_SECONDS: Final = 0.01
"""Another start may hold the folder because it removes dead servers' files; that takes less than a millisecond."""

ANSWER_SECONDS: Final = 3.0
"""Timeout of `/health`, which a running server answers within milliseconds, however busy it is."""

LONGEST_ANSWER: Final = 1_000_000
"""Bytes of an answer of `/health`, which has about a thousand."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One running server. `hosts` are the hosts it listens on, `url` is its address for clients on this machine.

    `started_at` is the create time of its process in Unix seconds, `stop_seconds` how long it may take to stop.
    `log_file` is None if it does not log to a file. `owner_token` proves to the server that a command is its owner's,
    who alone can read the file. `home` is the home folder that it was started with. `identity` is the identity of its
    process (`process_identity`). These are None for servers of earlier versions.
    """

    pid: int
    port: int
    hosts: tuple[str, ...]
    url: str
    started_at: float
    stop_seconds: float
    log_file: Path | None = None
    owner_token: str | None = field(default=None, repr=False)
    home: Path | None = None
    identity: str | None = None

    @classmethod
    def of_this_process(
        cls,
        *,
        port: int,
        hosts: tuple[str, ...],
        url: str,
        stop_seconds: float,
        log_file: Path | None,
        owner_token: str | None = None,
    ) -> Self:
        """The entry of this process."""
        import psutil  # noqa: PLC0415 -- 27 ms, which only commands about servers need

        process = psutil.Process()
        return cls(
            pid=process.pid,
            port=port,
            hosts=hosts,
            url=url,
            started_at=process.create_time(),
            stop_seconds=stop_seconds,
            log_file=log_file,
            owner_token=owner_token,
            home=Path.home(),
            identity=identity_of(process.pid),
        )


def running(folders: Iterable[Path] | None = None) -> list[Instance]:
    """This user's running servers, sorted by port: all in `folders`, or those in any runtime folder that were started
    with the same home. A folder that is not this user's alone is ignored.
    """
    private = [each for each in folders or runtime_folders() if is_private(each)]
    found = (_read(entry) for folder in private for entry in _entries(folder))
    homes = {None, Path.home()}
    ours = (each for each in found if each and (folders or each.home in homes) and process_of(each))
    return sorted(ours, key=lambda each: each.port)


def on_port(port: int | None, usual: int) -> list[Instance]:
    """This user's running servers on `port`. Without a `port` the one on the `usual` port if it is there, else all."""
    servers = [each for each in running() if port in {None, each.port}]
    return [each for each in servers if port is None and each.port == usual] or servers


def process_of(instance: Instance) -> "psutil.Process | None":
    """The process of `instance`; None if it has ended, or if another process has its id now."""
    import psutil  # noqa: PLC0415 -- see above

    with suppress(psutil.Error, OSError):
        process = psutil.Process(instance.pid)
        if is_running(instance.pid, instance.identity or instance.started_at) and _is_ours(process):
            return process
    return None


def health_of(instance: Instance) -> Mapping[str, object] | None:
    """The JSON object that the server's `/health` returns; None if it does not answer, or not with a JSON object.

    Raises:
        ConnectionRefusedError: its port is closed.
    """
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415 -- 30 ms, needed only where a server runs

    address = urlsplit(instance.url)
    with closing(HTTPConnection(address.hostname or "", address.port, timeout=ANSWER_SECONDS)) as connection:
        try:
            connection.request("GET", "/health", headers={"user-agent": COMMANDS_CLIENT})
            answer: object = json.loads(connection.getresponse().read(LONGEST_ANSWER))
        except ConnectionRefusedError:
            raise
        except (OSError, HTTPException, ValueError):
            return None
    return answer if isinstance(answer, dict) else None


@contextmanager
def registry(folder: Path) -> Iterator[Callable[[Instance], None]]:
    """A context manager with a function that registers a server in `folder`, a runtime folder, until the block ends.
    The entries of dead servers are removed first.

    Raises:
        LaunchError: the folder is not this user's alone, or cannot be made; and from the function, if another server
            is registered with the same port.
    """
    _make(folder)
    for entry in _entries(folder):
        with suppress(OSError), ExitStack() as lock:
            if _claim(entry, lock):
                _remove(entry)
    try:
        with ExitStack() as registered:
            yield lambda instance: registered.enter_context(_registered(folder, instance))
    finally:
        with suppress(OSError):  # entries of other servers are left in it
            folder.rmdir()


def already_runs(instance: Instance) -> LaunchError:
    """The error of a start on the port of a running server."""
    return LaunchError(
        f"a server of yours already runs on port {instance.port} (process {instance.pid})",
        f"see it with claude-openai status --port {instance.port}, "
        f"end it with claude-openai stop --port {instance.port}, or name another port with --port",
    )


@contextmanager
def _registered(folder: Path, instance: Instance) -> Iterator[None]:
    """Claim the folder of the instance's port, and write its files, which are removed after the block."""
    entry = folder / str(instance.port)
    with ExitStack() as lock:
        for _ in range(TRIES):
            with suppress(FileNotFoundError):  # removed by the last server to end
                _make(folder)
                entry.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
                if _claim(entry, lock):
                    break
            time.sleep(PAUSE_SECONDS)
        else:
            raise LaunchError(
                f"another server of yours is known by port {instance.port}",
                f"see it with claude-openai status --port {instance.port}, or name another with --port",
            )
        log_file = "" if instance.log_file is None else str(instance.log_file)
        hosts, token = ",".join(instance.hosts), instance.owner_token or ""
        _write(entry / PORT_FILE, instance.port, hosts, instance.url, log_file, token, instance.home or "")
        _write(entry / PID_FILE, instance.pid, instance.started_at, instance.stop_seconds, instance.identity or "")
        try:
            yield
        finally:
            _remove(entry)


def _claim(entry: Path, lock: ExitStack) -> bool:
    """Claim the folder of a port, if no server runs there and no other process holds its lock until `lock` is closed.

    Windows has no lock of a folder: there, two servers that start with the same port at the same time are kept apart by
    the port alone, which only one of them can listen on.
    """
    instance = _read(entry)
    if instance is not None and process_of(instance) is not None:
        return False
    if sys.platform == "win32":
        return True
    descriptor = os.open(entry, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    lock.callback(os.close, descriptor)
    # Another process may have removed and remade the folder before the lock was taken.
    return try_lock(descriptor) and os.path.samestat(os.fstat(descriptor), entry.lstat())


def _is_ours(process: "psutil.Process") -> bool:
    """Whether it is this user's and runs our command, by its name, as a module, or as an interpreter's argument."""
    if sys.platform != "win32" and process.uids().effective != os.geteuid():
        return False
    return any(word == "claude_openai" or Path(word).stem == "claude-openai" for word in process.cmdline())


def _make(folder: Path) -> None:
    try:
        make_private_folder(folder)
    except OSError as error:
        raise LaunchError(
            f"cannot use the folder {folder}: {error.strerror or error}",
            "set TMPDIR to a folder of your own that can be written",
        ) from error


def _entries(folder: Path) -> list[Path]:
    try:
        return [entry for entry in folder.iterdir() if entry.name.isdecimal() and not entry.is_symlink()]
    except OSError:
        return []


def _read(entry: Path) -> Instance | None:
    """The server that the files of `entry` describe; None if they are missing or incomplete."""
    try:
        port, hosts, url, log_file, token, home = (entry / PORT_FILE).read_text("utf-8").split("\n")[:6]
        pid, started_at, stop_seconds, *more = (entry / PID_FILE).read_text("utf-8").split("\n")
        log = Path(log_file) if log_file else None
        known = int(pid), int(port), tuple(hosts.split(",")), url, float(started_at), float(stop_seconds)
        return Instance(*known, log, token or None, Path(home) if home else None, next(iter(more), "") or None)
    except (OSError, ValueError):
        return None


def _write(path: Path, *lines: object) -> None:
    """Write `path` atomically: a reader finds all lines or none."""
    new = path.with_name(f"{path.name}.new")
    with open(new, "w", encoding="utf-8", opener=private_opener) as file:
        file.writelines(f"{line}\n" for line in lines)
    new.replace(path)


def _remove(entry: Path) -> None:
    """Remove the files that a server has written, and the folder if it is empty then."""
    with suppress(OSError):
        for name in (PID_FILE, PORT_FILE):
            (entry / name).unlink(missing_ok=True)
            (entry / f"{name}.new").unlink(missing_ok=True)
        entry.rmdir()
