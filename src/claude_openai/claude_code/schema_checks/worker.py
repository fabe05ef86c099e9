"""The program of a worker process that checks values against schemas: it reads and writes one JSON line per check.

A check that takes too long ends the process: nothing else stops a regular expression that runs.
"""

import json
import os
import signal
import sys

from claude_openai.core.tool_call_checks import call_fault
from claude_openai.jsontools.schema import answer_fault

CHECK_SECONDS = 2.0
"""The processor time for one check: a schema of 100 KB with a value of 100 KB takes a tenth of that."""

NICENESS = 10
"""A lower priority: a client's long checks must not slow down the answers of other clients."""


def main() -> None:
    """Check the value of each line, until there are no more."""
    os.nice(NICENESS)
    for line in sys.stdin.buffer:
        signal.setitimer(signal.ITIMER_PROF, CHECK_SECONDS)  # then the kernel ends this process, whatever it runs
        match json.loads(line):
            case {"call": name, "schema": str(schema), "value": str(value), "patterns": ("all" | "none") as patterns}:
                fault = (
                    answer_fault(schema, value, patterns) if name is None else call_fault(name, schema, value, patterns)
                )
            case check:
                raise ValueError(check)
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.buffer.write(json.dumps(fault).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
