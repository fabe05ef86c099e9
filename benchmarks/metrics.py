"""How the code reads, in numbers: `make metrics`. One screen, for a comparison before and after a change of structure.

Static figures come from the syntax trees of `src/claude_openai`. The walk of one request is traced in this process
with `sys.setprofile`: the whole server, the real Claude Code and the simulator, after one request that warms it up.
"""

import argparse
import ast
import itertools
import json
import os
import statistics
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self

import anyio
import grimp
import httpx2

from claude_openai import logs
from claude_openai.server import wiring
from claude_openai.server.wiring import Ready
from claude_openai.settings import Settings, login_environment
from claude_openai.system.places import choose_folders

PACKAGE: Final = Path(__file__).parent.parent / "src" / "claude_openai"
NOT_TRACED: Final = ("logs", "testing", "simulator")
"""Parts of the package that are no step of a request: the log, and the simulated model."""

CHAT: Final[Mapping[str, Any]] = {"model": "sonnet", "messages": [{"role": "user", "content": "Say hello."}]}
REQUESTS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "chat": ("/v1/chat/completions", CHAT),
    "chat, streamed": ("/v1/chat/completions", {**CHAT, "stream": True}),
    "responses": ("/v1/responses", {"model": "sonnet", "input": "Say hello."}),
    "responses, streamed": ("/v1/responses", {"model": "sonnet", "input": "Say hello.", "stream": True}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="claude-openai-metrics-") as home:
        logs.configure(None, logs.Descriptor(sys.stderr.fileno()), json=True, colours=False, secrets=())
        os.environ.update({"HOME": home, "CLAUDE_CONFIG_DIR": f"{home}/.claude", "TMPDIR": home})
        figures = {"static": static(), "requests": anyio.run(walks, Path(home))}
    print(json.dumps(figures, indent=2) if options.json else table(figures))


def static() -> Mapping[str, object]:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in trees}
    functions = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, _FUNCTION)]
    lengths = sorted((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions)
    private = [node for node in functions if _is_private(node.name)]
    kloc = sum(lines.values()) / 1000
    return {
        "files": len(trees),
        "lines": sum(lines.values()),
        "file lines, median / p90 / longest": _spread(sorted(lines.values())),
        "functions": len(functions),
        "function lines, median / p90 / longest": _spread(lengths),
        "private functions per 1,000 lines": round(len(private) / kloc, 1),
        "of those with one caller": sum(1 for _ in _with_one_caller(trees)),
        "broad excepts per 1,000 lines": round(sum(_broad_excepts(tree) for tree in trees.values()) / kloc, 2),
        "modules in the longest import cycle": _longest_cycle(),
    }


_FUNCTION: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def _spread(ordered: list[int]) -> str:
    return f"{statistics.median(ordered):g} / {ordered[int(len(ordered) * 0.9)]} / {ordered[-1]}"


def _with_one_caller(trees: Mapping[Path, ast.Module]) -> Iterator[str]:
    """Private functions and methods whose name occurs once in their module, beside the definition."""
    for tree in trees.values():
        uses = Counter(
            node.id if isinstance(node, ast.Name) else node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Name | ast.Attribute)
        )
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTION) and _is_private(node.name) and uses[node.name] == 1:
                yield node.name


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _broad_excepts(tree: ast.Module) -> int:
    return sum(
        isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        for node in ast.walk(tree)
    )


def _longest_cycle() -> int:
    graph = grimp.build_graph("claude_openai", cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        return len(error.args[1]) - 1
    return 0


async def walks(home: Path) -> Mapping[str, Mapping[str, int]]:
    """What one request of each kind enters."""
    flags = {"simulate": True, "port": 0, "store": "memory", "log": False, "data_dir": str(home)}
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    settings = Settings.load(flags, environment)
    ready: list[Ready] = []
    announced = anyio.Event()

    def announce(state: Ready) -> None:
        ready.append(state)
        announced.set()

    found: dict[str, Mapping[str, int]] = {}
    async with anyio.create_task_group() as group:
        group.start_soon(
            partial(wiring.serve, settings, login_environment(environment), choose_folders(settings), announce=announce)
        )
        await announced.wait()
        async with httpx2.AsyncClient(base_url=ready[0].url, timeout=60, trust_env=False) as client:
            for name, (path, body) in REQUESTS.items():
                (await client.post(path, json=body)).raise_for_status()
                await anyio.sleep(1.5)  # until the next process waits for a conversation
                with Trace() as trace:
                    (await client.post(path, json=body)).raise_for_status()
                found[name] = trace.figures()
        group.cancel_scope.cancel()
    return found


class Trace:
    """Counts the functions of the package that are entered in a block, in this thread and in those that it starts."""

    def __init__(self) -> None:
        self.entered: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        threading.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event != "call" or not code.co_filename.startswith(str(PACKAGE)) or code.co_name.startswith("<"):
            return
        file = code.co_filename.removeprefix(f"{PACKAGE}/")
        if not any(part in NOT_TRACED for part in Path(file).parts):
            self.entered.append((file, code.co_qualname))

    def figures(self) -> Mapping[str, int]:
        files = [file for file, _ in self.entered]
        return {
            "functions": len(set(self.entered)),
            "files": len(set(files)),
            "calls": len(self.entered),
            "moves between files": sum(one != other for one, other in itertools.pairwise(files)),
        }


def table(figures: Mapping[str, Any]) -> str:
    rows = [f"{name:<42} {value}" for name, value in figures["static"].items()]
    rows += [""]
    for request, walk in figures["requests"].items():
        rows.append(f"{request:<22} " + ", ".join(f"{value} {name}" for name, value in walk.items()))
    return "\n".join(rows)


if __name__ == "__main__":
    main()
