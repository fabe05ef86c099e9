"""Why a command ends without having done its work: one sentence and a remedy for the person at the terminal.

Errors of HTTP requests are not here; they answer a client, not the person who started the server.
"""

from enum import IntEnum
from typing import ClassVar, Self


class ExitCode(IntEnum):
    """What the shell is told, part of the command line's promise; `meaning` is for people."""

    meaning: str

    OK = 0, "Did what it was told: stopped when asked to, printed what was asked for"
    FAILED = 1, "Failed after it had started, or what it is about is not there: no such server runs, no such run"
    USAGE = 2, "An option, a variable or the settings file is wrong; nothing was started"
    CANNOT_START = 3, "The settings are right, but the machine stands in the way: a busy port, no Claude Code"
    INTERRUPTED = 130, "Interrupted before there was anything to stop"  # 128 + SIGINT by the shells' convention

    def __new__(cls, code: int, meaning: str) -> Self:
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class LaunchError(Exception):
    """A command cannot do its work; for most that is to start the server. `message` is a sentence without a full stop,
    `hint` says what to do about it.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.CANNOT_START

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(LaunchError):
    """A setting is wrong, and the message names the place it was read from."""

    exit_code = ExitCode.USAGE


class NotRunning(LaunchError):
    """There is no server that the command could be about."""

    exit_code = ExitCode.FAILED


class StillRunning(LaunchError):
    """A server was told to stop, and did not in time."""

    exit_code = ExitCode.FAILED
