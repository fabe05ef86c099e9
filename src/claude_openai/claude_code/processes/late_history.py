"""The history of a process that is started before its history is known (Linux).

Claude Code is started on a session file that is a FIFO. It comes up, opens the FIFO and blocks there until somebody
writes. What it does then was measured, with strace:

- it asks for the size of the path at its start, and reads a file of size 0, as a FIFO is, to the end at the first open;
- it opens the path a second time, and reads the end of a file that has a size. A FIFO would block it there, so an empty
  file has taken the FIFO's place by then;
- it reads its input only after the history, which is why a history that is answered as it stands cannot come this way:
  the answer would begin before Claude Code has read the instructions.
"""

import errno
import os
import sys
from typing import Final

import anyio

from claude_openai.claude_code.processes.child import Child
from claude_openai.claude_code.processes.scratch import HISTORY, Scratch

CAN_COME_LATE: Final = sys.platform == "linux"
"""Whether a process can wait for its history here: measured on Linux only. Elsewhere every history is a file."""

POLL_SECONDS = 0.005
"""Between two tries to open the FIFO, while the process has not come so far. No event reports that."""

PIECE_BYTES: Final = 1024 * 1024
"""The bytes of one write; the pipe takes what it has room for, 64 KiB at first."""


class LateHistory:
    """The FIFO in `scratch` at which a process waits for its history. It goes with the folder of the process.

    Raises:
        OSError: the FIFO cannot be made.
    """

    def __init__(self, scratch: Scratch) -> None:
        self.path: Final = scratch.root / HISTORY
        self._empty: Final = scratch.root / "empty.jsonl"
        os.mkfifo(self.path, 0o600)

    async def send(self, history: bytes | bytearray, child: Child) -> None:
        """Send `history` to `child`, which waits for it, or will soon. The event loop is never blocked.

        Where that fails or is cancelled, the child is killed: it would take the part that it has for the whole.

        Raises:
            OSError: the child has ended, or reads no more.
        """
        pipe = await self._opened(child)
        try:
            os.mknod(self._empty, 0o600)
            os.replace(self._empty, self.path)  # noqa: PTH105 -- one rename, which blocks nothing
            rest = memoryview(history)
            while rest:
                try:
                    rest = rest[os.write(pipe, rest[:PIECE_BYTES]) :]
                except BlockingIOError:
                    await anyio.wait_writable(pipe)
        except BaseException:
            child.kill()  # before the pipe is closed, which is the end of the history for it
            raise
        finally:
            os.close(pipe)

    async def _opened(self, child: Child) -> int:
        """Open the FIFO as soon as `child` has opened it."""
        while True:
            try:
                return os.open(self.path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                if error.errno != errno.ENXIO:
                    raise
            if not child.is_running:
                raise BrokenPipeError(errno.EPIPE, "Claude Code ended before it read its history")
            await anyio.sleep(POLL_SECONDS)
