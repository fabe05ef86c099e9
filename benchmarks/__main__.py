"""`make bench`: measure the server in one run, without an account.

The command fails where an answer or its session is not right, and where the documents cannot be written, never for its
times: those are also the machine's.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2

from benchmarks.asking import ANSWER_SECONDS
from benchmarks.beside import beside
from benchmarks.compare import comparison
from benchmarks.curve import CONVERSATIONS, curve
from benchmarks.growth import by_history, by_runs
from benchmarks.litellm_proxy import FOLDER
from benchmarks.machine import Before, before, clocks, commit, machine
from benchmarks.model import model
from benchmarks.overhead import FEWER, overhead
from benchmarks.page import IMAGE, PARTS, Bench, Part, page, written
from benchmarks.plot import plot
from benchmarks.server import running_server
from claude_openai.simulator import Simulator
from claude_openai.testing.environment import simulated_login
from clients.environments import NotInstallableError, environment

ROUNDS: Final = 10
"""Nine minutes for all parts, on two cores."""

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs/explain/performance.md"


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    old = json.loads(options.compare.read_text(encoding="utf-8")) if options.compare else None
    parts = options.only or PARTS
    if "litellm" in parts:  # while the caller's variables are there, which installing may need
        with suppress(NotInstallableError):
            environment(FOLDER)
    then = before()
    with tempfile.TemporaryDirectory(prefix="claude-openai-bench-") as folder:
        bench = anyio.run(measure, parts, options.rounds, then, Path(folder))
    result: dict[str, Any] = json.loads(json.dumps(asdict(bench)))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(page(bench))
    if old is not None:
        print(f"\n{comparison(old, result)}")
    refused = options.write_docs and not _write_docs(bench)
    return 0 if bench.correct and not refused else 1


async def measure(parts: Sequence[Part], rounds: int, then: Before, folder: Path) -> Bench:
    since, bench_commit, fewer = clocks(), commit(), min(rounds, FEWER)
    found: dict[str, Any] = {}
    skipped: dict[Part, str] = {}
    upstream = Simulator(model)
    async with upstream.serve() as url, _open_connection(url) as api:
        login = _only_login(url, folder)
        async with running_server(login, folder) as server:
            version = await server.claude_code_version()
        if "overhead" in parts:
            found["overhead"] = await overhead(upstream, api, login, folder, rounds)
        if "litellm" in parts:
            try:
                found["litellm"] = await beside(upstream, login, folder, fewer)
            except NotInstallableError as error:
                skipped["litellm"] = str(error)
        if "curve" in parts:
            counts = CONVERSATIONS if rounds > 1 else CONVERSATIONS[:2]
            found["curve"] = await curve(login, folder, counts)
        if "history" in parts:
            found["history"] = await by_history(login, api, folder)
        if "runs" in parts:
            found["runs"] = await by_runs(login, folder)
    return Bench(bench_commit, machine(then, since, version), **found, skipped=skipped)


def _write_docs(bench: Bench) -> bool:
    """Put what was measured into its page. False, with the reason, where it is not that of a quiet machine."""
    if bench.machine.busy or not bench.correct:
        print("The documents were not written: the machine was BUSY, or the answers were not right.", file=sys.stderr)
        return False
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), bench), encoding="utf-8")
    if bench.curve:
        (ROOT / IMAGE).write_text(plot(bench.curve), encoding="utf-8")
    return True


def _open_connection(url: str) -> httpx2.AsyncClient:
    """It stays open for as long as it takes."""
    limits = httpx2.Limits(keepalive_expiry=None)
    return httpx2.AsyncClient(base_url=url, headers={"x-api-key": "any"}, limits=limits, timeout=ANSWER_SECONDS)


def _only_login(upstream: str, folder: Path) -> Mapping[str, str]:
    """An environment without anything of the caller's, made this process's own: `query()` hands all of that on."""
    login = simulated_login(upstream, folder, os.environ)
    os.environ.clear()
    os.environ.update(login)
    return login


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Measure what the server adds, beside others.")
    parser.add_argument("--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--rounds", type=_count, default=ROUNDS, metavar="N", help="default: %(default)s; 1 for a look")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="write one JSON object too, times in seconds, memory in bytes"
    )
    parser.add_argument(
        "--compare", type=Path, metavar="OLD.json", help="print what changed beyond the spread since that --json file"
    )
    parser.add_argument(
        "--write-docs", action="store_true", help="write the tables and the plot into the page, on a quiet machine only"
    )
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number of rounds")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
