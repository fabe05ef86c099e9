"""Errors that end a command: a sentence and a hint for the operator, and the exit code.

Errors of HTTP requests are `core.failures`: they go to a client, not to the operator.
"""

from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """The exit codes, which are part of the command line's interface; `meaning` is for `--help`."""

    meaning: str

    OK = 0, "The command succeeded; a server was stopped on request"
    FAILED = 1, "The command failed after it had started, or there is no such server or run"
    USAGE = 2, "An option, a variable or the settings file is wrong; nothing was started"
    CANNOT_START = 3, "The settings are valid, but the server cannot start here: a busy port, no Claude Code"
    INTERRUPTED = 130, "Interrupted before there was anything to stop"  # 128 + SIGINT by the shells' convention

    def __new__(cls, code: int, meaning: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class LaunchError(Exception):
    """A command cannot do its work, such as starting the server. `message` is a sentence without a full stop, `hint`
    says what the operator can do.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.CANNOT_START

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(LaunchError):
    """A setting is wrong. The message names the flag, the variable or the file that it was read from."""

    exit_code = ExitCode.USAGE


class NotRunning(LaunchError):
    """The server that the command needs does not run."""

    exit_code = ExitCode.FAILED


class StillRunning(LaunchError):
    """A server did not stop in time."""

    exit_code = ExitCode.FAILED
