"""The init process of a container (PID 1), which must reap the orphans that it adopts.

The server cannot reap them itself: it would have to wait for any child, and would take the exit codes of its own
children from the code that waits for them. So the server runs in a child process, and the first process only reaps and
forwards signals.
"""

import os
import signal
import sys
from typing import Final

_FORWARDED: Final = frozenset({"SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"})

_SENT_BY_KERNEL: Final = 128
"""`si_code` of a signal that the kernel sent (SI_KERNEL), as for Ctrl-C: the child, in the same group, gets it too."""


def continue_in_child() -> None:
    """If this is the first process (Linux), return in a child process only. Call it before any thread is started."""
    if sys.platform != "linux" or os.getpid() != 1:
        return
    forwarded = {getattr(signal, name) for name in _FORWARDED}
    awaited = {signal.SIGCHLD, *forwarded}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    while True:
        received = signal.sigwaitinfo(awaited)
        if received.si_signo == signal.SIGCHLD:
            if (code := _reap(child)) is not None:
                os._exit(code)
        elif received.si_code != _SENT_BY_KERNEL:
            os.kill(child, received.si_signo)  # the process exists until it is reaped


def _reap(child: int) -> int | None:
    """Reap all ended processes; the exit code of `child`, as a shell reports it, if it is one of them."""
    code: int | None = None
    while code is None:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return None
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
