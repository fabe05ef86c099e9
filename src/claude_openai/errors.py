"""Why a command ends without having done its work: one sentence and a remedy for the person at the terminal.

Errors of HTTP requests are not here; they answer a client, not the person who started the server.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """What the shell is told, part of the command line's promise."""

    OK = 0
    FAILED = 1
    """It had started and then failed."""
    USAGE = 2
    """An option, a variable or the settings file is wrong; nothing was started."""
    CANNOT_START = 3
    """The settings are right, but the machine stands in the way: a busy port, no Claude Code."""
    INTERRUPTED = 130
    """Ctrl-C before there was anything to stop; 128 + SIGINT by the shells' convention."""


class LaunchError(Exception):
    """The server cannot start. `message` is a sentence without a full stop, `hint` says what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.CANNOT_START

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(LaunchError):
    """A setting is wrong, and the message names the place it was read from."""

    exit_code = ExitCode.USAGE
