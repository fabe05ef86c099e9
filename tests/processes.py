"""The processes that a test looks at."""

from contextlib import suppress

import psutil

_WORKER = "claude_openai.claude_code.schema_checks.worker"


def checks_schemas(process: psutil.Process) -> bool:
    """Whether it is a worker that checks schemas. A server starts one whenever a check takes longer than usual, so on a
    busy machine for any answer, and it waits for more until it is idle for long or its server ends.
    """
    with suppress(psutil.Error):  # it ends just now
        return _WORKER in process.cmdline()
    return False


def is_browsers(process: psutil.Process) -> bool:
    """Whether it belongs to the browser that the tests of a module share. It keeps processes ready for pages to come,
    and ends with its fixture, which looks.
    """
    with suppress(psutil.Error):
        return process.name().startswith("chrom")
    return False


def command_lines() -> list[str]:
    """Those of all that this process has started, and that they have: as others on this machine can read them."""
    lines: list[str] = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ends just now
            lines.append(" ".join(process.cmdline()))
    return lines


def children(*, recursive: bool = False) -> list[psutil.Process]:
    """Those that a server in this process has started for requests: all but the workers that check schemas."""
    return [each for each in psutil.Process().children(recursive=recursive) if not checks_schemas(each)]
