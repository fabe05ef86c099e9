"""The program of a worker process that holds values against schemas: one JSON line in, one out.

A check that takes too long ends the process: a regular expression that is running cannot be ended in another way.
"""

import json
import os
import signal
import sys
from typing import Any

from claude_openai.core.tools import call_fault
from claude_openai.jsontools.schema import answer_fault

CHECK_SECONDS = 2.0
"""Of the processor's time, for one check: a schema of 100 KB against a value of 100 KB takes a tenth of that."""

NICENESS = 10
"""Whoever sends what takes long should not slow down the answers of others."""


def main() -> None:
    """Answer each line until there are no more."""
    os.nice(NICENESS)
    for line in sys.stdin.buffer:
        _bound(CHECK_SECONDS)
        fault = _fault(json.loads(line))
        _bound(0)
        sys.stdout.buffer.write(json.dumps(fault).encode() + b"\n")
        sys.stdout.buffer.flush()


def _fault(check: Any) -> str | None:
    match check:
        case {"call": str(name), "schema": str(schema), "value": str(value), "patterns": ("all" | "none") as patterns}:
            return call_fault(name, schema, value, patterns)
        case {"call": None, "schema": str(schema), "value": str(value), "patterns": ("all" | "none") as patterns}:
            return answer_fault(schema, value, patterns)
        case _:
            raise ValueError(check)


def _bound(seconds: float) -> None:
    """The kernel ends this process after `seconds` of work (0: no more), whatever it is doing."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


if __name__ == "__main__":
    main()
