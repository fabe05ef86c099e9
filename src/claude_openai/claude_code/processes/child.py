"""One child process, owned by the block that opened it.

Leaving the block always ends the process and its group; every wait is bounded. On Linux the kernel also kills the child
when this program dies. The callers define the protocol on the pipes.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

TERMINATE_GRACE_SECONDS = 1.0
"""From SIGTERM to SIGKILL. Claude Code needs some 30 ms to remove its own session file (measured)."""

KILL_GRACE_SECONDS = 2.0
"""From SIGKILL until this program gives up a process that the kernel does not end."""

MAX_LINE_BYTES = 64 * 1024 * 1024
"""Claude Code writes a whole content block as one line: far over the SDK's own limit of 1 MiB."""

PIECE_BYTES: Final = 1024 * 1024
"""The bytes of one write: asyncio copies the bytes that the pipe does not take, 50 ms for 30 MB (measured)."""

READ_BYTES: Final = 64 * 1024
"""The bytes of one read, as many as a pipe holds on Linux: some 200 messages of a token each."""

LOW_PRIORITY: Final = 10
"""The niceness of a child that has a lot to do: 0 is usual, 19 the lowest."""

STDERR_TAIL_BYTES = 4096
"""How much of the stderr of a dead process goes to the log."""

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

_DIE_WITH_PARENT = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() == int(sys.argv[1]):  # else the parent died before the kernel was asked
    os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Command:
    """A program to start. `environment` is the child's whole environment; its stderr goes to the file `stderr`. The
    child inherits the open `descriptors`, under their numbers, and nothing else.
    """

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    directory: Path
    stderr: Path
    descriptors: tuple[int, ...] = ()


def module_command(module: str, *arguments: str, stderr: Path, descriptors: tuple[int, ...] = ()) -> Command:
    """Return the command that runs a module of this program in a separate Python with the same import path. The
    process works in the root folder, and dies with this program.
    """
    found = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONSAFEPATH": "1"}
    argv = dying_with_parent((sys.executable, "-m", module, *arguments))
    return Command(argv, found, Path("/"), stderr, descriptors)


class Child:
    """A running child whose input and output are lines. Use it inside the block of `child_process` only."""

    def __init__(self, process: Process, stderr: Path) -> None:
        self._process = process
        self._stdin = cast("ByteSendStream", process.stdin)  # child_process() asks for both pipes
        self._stdout = cast("ByteReceiveStream", process.stdout)
        self._lines = deque[bytes]()
        self._partial: list[bytes] = []
        self._partial_bytes = 0
        self._stderr = stderr
        self._writing = anyio.Lock()
        self._is_cut = False
        self.was_killed = False

    @property
    def pid(self) -> int:
        """Process id, and the id of the group."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the child has not ended. The kernel knows before the event loop does."""
        if self._process.returncode is not None or not hasattr(os, "waitid"):
            return self._process.returncode is None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    @property
    def returncode(self) -> int | None:
        """The exit code, minus the signal that ended the child, or None as long as its end is not known."""
        return self._process.returncode

    def kill(self) -> None:
        """Send SIGKILL to the process and its group."""
        self.was_killed = True
        _signal_group(self._process, _KILL)

    def lower_priority(self) -> None:
        """Let other processes go first from now on, until the child ends. Windows has no such call."""
        if sys.platform != "win32":
            with suppress(OSError):
                os.setpriority(os.PRIO_PGRP, self.pid, max(LOW_PRIORITY, os.getpriority(os.PRIO_PROCESS, 0)))

    async def send(self, line: bytes | bytearray) -> None:
        """Write `line` to the child's stdin. After a call that was cancelled within a line, every further call raises.

        Raises:
            anyio.BrokenResourceError, anyio.ClosedResourceError: the child reads no more.
        """
        async with self._writing:
            if self._is_cut:
                raise anyio.BrokenResourceError
            self._is_cut = True
            for start in range(0, len(line), PIECE_BYTES):
                await self._stdin.send(bytes(line[start : start + PIECE_BYTES]))
            self._is_cut = False

    async def end_input(self) -> None:
        """Close the child's stdin."""
        with suppress(OSError, anyio.BrokenResourceError):
            await self._stdin.aclose()

    async def lines(self) -> AsyncGenerator[bytes, None]:
        """Yield the lines that the child writes, until it closes its end.

        Raises:
            anyio.DelimiterNotFound: a line longer than `MAX_LINE_BYTES`.
        """
        while self._lines or await self._read_lines():
            yield self._lines.popleft()

    async def _read_lines(self) -> bool:
        """Read until a line is complete; False where the output ends. A last line without its end is dropped."""
        while not self._lines:
            try:
                data = await self._stdout.receive(READ_BYTES)
            except (anyio.EndOfStream, anyio.ClosedResourceError, anyio.BrokenResourceError):
                return False
            first, *others = data.split(b"\n")
            self._partial.append(first)
            self._partial_bytes += len(first)
            if self._partial_bytes > MAX_LINE_BYTES:
                raise anyio.DelimiterNotFound(MAX_LINE_BYTES)
            if others:
                self._lines.append(b"".join(self._partial))
                self._lines.extend(others[:-1])
                self._partial = [others[-1]]
                self._partial_bytes = len(others[-1])
        return True

    def resident_bytes(self) -> int:
        """Return the resident memory in bytes; 0 where the system does not report it."""
        import psutil  # noqa: PLC0415 -- 10 ms that a start of the server need not wait for

        try:
            return int(psutil.Process(self.pid).memory_info().rss)
        except psutil.Error:
            return 0

    async def wait_closed(self) -> None:
        """Return when the process has ended.

        anyio's `wait` returns at the exit itself. asyncio's own also waits for the pipes, which a grandchild that
        inherited them can keep open for any time.
        """
        await self._process.wait()

    async def exit_code(self) -> int | None:
        """Return the exit code of a child that closed its output; None if it does not exit within a bound."""
        with anyio.move_on_after(TERMINATE_GRACE_SECONDS):
            return await self._process.wait()
        return None

    def stderr_tail(self) -> str:
        """Return the last `STDERR_TAIL_BYTES` that the child wrote to stderr."""
        try:
            data = self._stderr.read_bytes()
        except OSError:
            return ""
        return data[-STDERR_TAIL_BYTES:].decode(errors="replace").strip()


@asynccontextmanager
async def child_process(command: Command) -> AsyncIterator[Child]:
    """Run `command` for as long as the block lasts.

    Raises:
        OSError: the command cannot be started.
    """
    # If this were cancelled between the start and the pipes, the process would have no owner.
    with command.stderr.open("wb") as stderr, anyio.CancelScope(shield=True):
        process = await anyio.open_process(
            command.argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=command.directory,
            env=command.environment,
            start_new_session=True,
            pass_fds=command.descriptors,
        )
    try:
        yield Child(process, command.stderr)
    finally:
        with anyio.CancelScope(shield=True):
            for stop, grace in ((signal.SIGTERM, TERMINATE_GRACE_SECONDS), (_KILL, KILL_GRACE_SECONDS)):
                if process.returncode is not None:
                    break
                _signal_group(process, stop)
                with anyio.move_on_after(grace):
                    await process.wait()
            _signal_group(process, _KILL)  # the processes that the leader left in its group
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError, anyio.BrokenResourceError):
                        await stream.aclose()


def dying_with_parent(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Return `argv`, changed so that the kernel kills the child when this program dies (Linux; elsewhere unchanged).

    `setpriv` (util-linux) costs 1 ms; without it a short Python program does the same in some 20 ms.
    """
    if sys.platform != "linux":
        return argv
    if setpriv := shutil.which("setpriv"):
        # BusyBox has a setpriv of the same name without this option.
        help_text = subprocess.run([setpriv, "--help"], capture_output=True, timeout=5, check=False)
        if b"--pdeathsig" in help_text.stdout + help_text.stderr:
            return (setpriv, "--pdeathsig", "KILL", "--", *argv)
    return (sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT, str(os.getpid()), *argv)


def _signal_group(process: Process, which: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, which)
        elif process.returncode is None:
            process.terminate()
