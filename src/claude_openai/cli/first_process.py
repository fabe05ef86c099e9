"""What the first process of a container owes: it adopts what other processes leave behind, and nobody else reaps that.

The server cannot do so itself. It would have to wait for any child, and so take the exit codes of its own children from
those who wait for them. So it goes on in a child, and the first process does nothing but reap and pass signals on.
"""

import os
import signal
import sys
from typing import Final

_PASSED: Final = frozenset({"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"})

_FROM_A_TERMINAL: Final = 128
"""`si_code` of a signal that the kernel sent (SI_KERNEL): the child, of the same group, has got it as well."""


def go_on_as_a_child() -> None:
    """Where this is the first process (Linux), return in a child of it, and never in itself. Before any thread."""
    if sys.platform != "linux" or os.getpid() != 1:
        return
    passed = {getattr(signal, name) for name in _PASSED}
    awaited = {signal.SIGCHLD, *passed}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    while True:
        received = signal.sigwaitinfo(awaited)
        if received.si_signo == signal.SIGCHLD:
            if (code := _reaped(child)) is not None:
                os._exit(code)
        elif received.si_code != _FROM_A_TERMINAL:
            os.kill(child, received.si_signo)  # it is there until it is reaped


def _reaped(child: int) -> int | None:
    """Reap all that has ended; the exit code of `child`, as a shell has it, once that is among them."""
    code: int | None = None
    while code is None:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
