"""The store at 100,000 runs: `make bench-store`. What a list, a search, the sums of 30 days and a write cost.

The runs are made up: words in the proportions of a language, with few clients and models, over the last 30 days.
`--runs` makes fewer, `--folder` keeps the file for the next time. Times are the median and the slowest of nine.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from claude_openai.core.events import Usage
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState
from claude_openai.core.search import parse
from claude_openai.store import SqliteReader
from claude_openai.store.sqlite.ended import index_the_rest, note_ended
from claude_openai.store.sqlite.rows import SAVE, row_of
from claude_openai.store.sqlite.store import Opened, opened

DAY: Final = 86_400.0
DAYS: Final = 30
WORDS: Final = 130
"""Of an answer: some 780 characters."""

LANGUAGE: Final = 30_000
REPEATS: Final = 9
WRITES: Final = 500
LISTED: Final = 50

QUERIES: Final = (
    *("", "state:running", "state:failed", "word17", '"word1"', '"word1 word2"', "nosuchword", '"word1" cost:>0.5'),
    *("cost:>0.5", "cost:>0.29 duration:>20s since:7d", "@curl", "model:opus", "key:alice", "tool:get_weather"),
    *("sort:cost", "sort:old", "-state:completed", '-"word1"', "is:cached model:haiku", 'code:overloaded "word1"'),
)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--folder", type=Path)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = opened(given.folder or Path(folder))
        with closing(store.connection):
            measure(store, given.runs)


def measure(store: Opened, count: int) -> None:
    """Fill the store if it is empty, then measure it."""
    chance, now = random.Random(1), time.time()  # noqa: S311 -- no secret
    if not store.connection.execute("SELECT 1 FROM runs LIMIT 1").fetchone():
        fill(store, [made_up(number, now - DAYS * DAY * (1 - number / count), chance) for number in range(count)])
    reader = SqliteReader(store.file)
    print(f"{reader.size() / 1e6:.0f} MB")
    moment = datetime.now().astimezone()
    for text in QUERIES:
        query = parse(text, moment)
        show(text or "the latest", lambda query=query: len(reader.search(query, LISTED)))  # type: ignore[misc]
    show("30 days by day and model", lambda: len(reader.statistics(now - DAYS * DAY, now, int(DAY), "model")))
    show("24 hours by hour", lambda: len(reader.statistics(now - DAY, now, 3600)))
    for name, noted in (("a write without words and sums", False), ("a write", True)):
        spent = []
        for number in range(WRITES):
            run = made_up(count + number, now, chance)
            begin = time.thread_time()
            store.connection.execute("BEGIN IMMEDIATE")
            store.connection.execute(SAVE, row_of(run, None)._asdict())
            if noted:
                note_ended(store.connection, run)
            store.connection.execute("COMMIT")
            spent.append((time.thread_time() - begin) * 1000)
            store.connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
        print(f"{name:45} median {statistics.median(spent):7.3f} ms of processor time, slowest {max(spent):.1f}")


def fill(store: Opened, runs: list[Run]) -> None:
    """Write `runs` as an older program did, and index them in bites."""
    connection = store.connection
    connection.execute("BEGIN")
    connection.executemany(SAVE, (row_of(run, None)._asdict() for run in runs))
    connection.execute("INSERT OR REPLACE INTO progress VALUES ('indexed_since', 1e300)")
    connection.execute("COMMIT")
    bites, before = [0.0], time.perf_counter()
    for _ in index_the_rest(connection):
        bites.append(time.perf_counter() - before)
        before = time.perf_counter()
    print(f"indexed in {sum(bites):.1f} s; longest bite {max(bites) * 1000:.0f} ms")


def show(name: str, measured: Callable[[], int]) -> None:
    """Print how long `measured` takes, and what it returns."""
    spent = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        found = measured()
        spent.append((time.perf_counter() - begin) * 1000)
    print(f"{name:45} median {statistics.median(spent):7.1f} ms, slowest {max(spent):7.1f}   {found} found")


def made_up(number: int, arrived_at: float, chance: random.Random) -> Run:
    """A run that ended; one in fourteen failed or was cancelled."""
    (state,) = chance.choices([RunState.COMPLETED, RunState.FAILED, RunState.CANCELLED], [93, 4, 3])
    first = arrived_at + chance.expovariate(0.5)
    return Run(
        id=f"{number:032x}",
        answer_id=f"chatcmpl-{number:032x}",
        request_id=f"req_{number:032x}",
        principal=chance.choice(["local", "alice", "bob", "ci"]),
        client=chance.choice(["OpenAI/Python 3.54.0", "curl/8.5", "continue/1.2", "Cline/3.1", "Zed/1.0"]),
        model=chance.choice(["claude-opus-5", "claude-sonnet-5", "claude-haiku-5"]),
        state=state,
        arrived_at=arrived_at,
        began_at=arrived_at + 0.01,
        first_token_at=first,
        ended_at=first + chance.expovariate(0.1),
        session_start=chance.choice(["live", "warm", "cold", "rebuilt", "results"]),
        finish="stop",
        error_code=None if state is RunState.COMPLETED else "overloaded",
        error=None if state is RunState.COMPLETED else "Overloaded.",
        usage=Usage(
            chance.randint(1, 3000), chance.randint(1, 900), chance.randint(0, 3000), chance.randint(0, 90_000)
        ),
        cost_usd=chance.random() * 0.3,
        text=" ".join(f"word{min(int(chance.paretovariate(0.5)), LANGUAGE)}" for _ in range(WORDS)),
        calls=(ToolCall("call_1", "get_weather", '{"city": "Oslo"}'),) if number % 10 == 0 else (),
        endpoint="chat",
    )


if __name__ == "__main__":
    main()
