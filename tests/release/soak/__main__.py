"""`python -m tests.release.soak`: the installed command, in a process of its own, through hours of use in some minutes.

Client and model are in this process, and Claude Code is the real one. No account is touched, and no network. The exit
code is 1 where a promise was broken; `--seed` then repeats what the clients did.
"""

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import anyio

from claude_openai.simulator import Simulator
from claude_openai.testing.environment import simulated_login
from tests.release.soak.footprint import secrets_left_in
from tests.release.soak.ledger import Ledger
from tests.release.soak.report import Report, reasons, reported, table
from tests.release.soak.server import LOG, running_server
from tests.release.soak.setting import SETTINGS, flags
from tests.release.soak.soak import Size, Soak
from tests.release.soak.upstream import Upstream


def main() -> int:
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    size = Size(options.conversations, options.turns, options.at_once)
    with tempfile.TemporaryDirectory(prefix="claude-openai-soak-") as folder:
        report = anyio.run(run, options.seed, size, Path(folder))
        if options.log:
            shutil.copy(Path(folder) / LOG, options.log)
    sys.stdout.write(f"{table(report)}\n")
    return 1 if reasons(report) else 0


async def run(seed: int, size: Size, folder: Path) -> Report:
    ledger = Ledger()
    upstream = Upstream(ledger)
    home = folder / "home"
    home.mkdir()
    async with Simulator(upstream, remember=False).serve() as url:
        login = _only_login(url, home)
        async with running_server(flags(SETTINGS), login, folder) as server:
            course = await Soak(server, upstream, ledger, seed, size).run(_show)
    _show("")
    for path in secrets_left_in(folder):
        ledger.leaks(f"a secret was left in {path}")
    if left := list(server.temporary.iterdir()):
        ledger.breaks(f"the server was stopped, and left {len(left)} temporary files or folders")
    return reported(seed, size, course, ledger)


def _only_login(upstream: str, home: Path) -> Mapping[str, str]:
    """An environment without anything of the caller's, made this process's own: no proxy stands between it and us."""
    environment = simulated_login(upstream, home, os.environ)
    os.environ.clear()
    os.environ.update(environment)
    return environment


def _show(progress: str) -> None:
    """On the line where the last one was, for a person who waits."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress}")
        sys.stderr.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.release.soak", description="Use one server hard, and see what is left."
    )
    parser.add_argument("--conversations", type=_count, default=200, metavar="N", help="default: %(default)s")
    parser.add_argument("--turns", type=_count, default=5, metavar="N", help="of each; default: %(default)s")
    parser.add_argument("--at-once", type=_count, default=8, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), metavar="N", help="default: a new one")
    parser.add_argument("--log", type=Path, metavar="FILE", help="keep the server's log there")
    return parser.parse_args()


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
