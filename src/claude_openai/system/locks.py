"""Advisory locks on open files and folders, which the kernel releases with the process that holds them.

They are `flock` locks: a lock belongs to one open file description. Neither a child process nor a second open of the
same path has it, be it in this program or in a container that shares the folder. `filelock` cannot lock a folder and
needs a lock file beside it, which would then have to be removed safely too.
"""

import sys

if sys.platform != "win32":
    import fcntl


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file or folder, without waiting; False if it is taken, or on Windows, which
    has no such locks.
    """
    if sys.platform == "win32":
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
