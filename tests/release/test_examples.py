"""The programs that show and measure the server run as they are, from the root of the project."""

import subprocess
import sys

import pytest

from tests.repository import ROOT

RUN_SECONDS = 240
"""Each bounds its own waits; this bounds the sum of them."""


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
    )


@pytest.mark.proves("project.demo")
def test_the_demo_streams_an_answer_of_the_real_claude_code_and_leaves_nothing() -> None:
    demo = run("examples/demo.py")
    assert (demo.returncode, demo.stderr) == (0, "")
    assert "\nHello! I came token by token" in demo.stdout
    assert "none is left" in demo.stdout


@pytest.mark.proves("stream.token-by-token")
def test_the_bench_measures_every_contestant_and_finds_no_token_held_back() -> None:
    bench = run("-m", "benchmarks", "--only", "overhead", "--rounds", "1")
    assert (bench.returncode, bench.stderr) == (0, "")
    *tables, facts, where = bench.stdout.split("\n\n")
    assert [len(table.splitlines()) for table in tables] == [17, 6, 6, 4]
    told = [fact.split(":")[0].split(".")[0] for fact in facts.splitlines()]
    assert [name for name in told if name.startswith(("- Chunks", "- Sessions"))] == ["- Chunks", "- Sessions"]
    assert where.startswith("- Medians")
