"""`python -m clients`: each client that we know, in an environment of its own, against the real server, the real Claude
Code and a simulated model. A line for each capability; the exit code is 1 where one failed.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import anyio

from clients.catalogue import CLIENTS, Client
from clients.environments import HERE
from clients.matrix import MATRIX, Outcome, Result, between, table
from clients.stage import set_up
from clients.trial import try_out

PAGE = HERE.parent / "docs" / "guide" / "clients.md"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    with tempfile.TemporaryDirectory(prefix="claude-openai-clients-") as folder:
        results = anyio.run(run, options.client or CLIENTS, Path(folder))
    counts = {outcome: sum(result.outcome is outcome for result in results) for outcome in Outcome}
    print(", ".join(f"{count} {outcome}" for outcome, count in counts.items()))
    if options.write:
        PAGE.write_text(between(MATRIX, table(results), PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"docs/guide/{PAGE.name} has it")
    return 1 if counts[Outcome.FAIL] else 0


async def run(clients: Sequence[Client], folder: Path) -> list[Result]:
    results: list[Result] = []

    def tell(result: Result) -> None:
        print(result.line, flush=True)
        results.append(result)

    async with set_up(folder) as stage:
        for client in clients:
            await try_out(client, stage, tell)
    return results


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m clients", description="Try the clients of others on this server.")
    parser.add_argument("client", nargs="*", type=_client, help="default: all of them")
    parser.add_argument(
        "--write", action="store_true", help="put the table into docs/guide/clients.md (of all clients only)"
    )
    options = parser.parse_args()
    if options.write and options.client:
        parser.error("--write wants all clients: the table is of one run")
    return options


def _client(name: str) -> Client:
    for client in CLIENTS:
        if name == client.name:
            return client
    raise argparse.ArgumentTypeError(f"{name} is none of: {', '.join(client.name for client in CLIENTS)}")


if __name__ == "__main__":
    sys.exit(main())
