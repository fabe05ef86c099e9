"""The project's own files keep their promises: version, import contracts, pinned requirements, Makefile."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import claude_openai
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT

REQUIREMENT = re.compile(
    r"""
    [a-z0-9-]+(\[[a-z0-9,-]+\])?==[^\s;]+  # a name, its extras, its exact version
    (\ ;\ [^\\]+)?                         # the platforms that need it
    (\ \\\n\ {4}--hash=sha256:[0-9a-f]{64})+
    (\n\ {4}\#\ .*)+                      # what asks for it
    """,
    re.VERBOSE,
)

LOCKS = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("clients/*/requirements.txt")])


def test_the_version_of_the_code_is_that_of_the_installed_distribution() -> None:
    assert claude_openai.__version__ == version("claude-openai")


def test_every_import_contract_is_kept() -> None:
    """In a process of its own: import-linter configures logging, which disables the loggers of the process."""
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.proves("project.locked")
@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "build.txt", "demo.txt", "oldest-pip.txt"])
def test_every_requirement_is_pinned_with_hashes_and_nothing_else_stands_in_the_file(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert text
    assert REQUIREMENT.sub("", text).strip() == ""


@pytest.mark.proves("project.locked")
def test_the_runtime_requirements_are_the_same_for_users_and_developers() -> None:
    runtime, dev = (pins(ROOT / "requirements" / name) for name in ("runtime.txt", "dev.txt"))
    assert runtime.items() <= dev.items()


@pytest.mark.proves("project.locked")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: f"{lock.parent.name}/{lock.name}")
def test_a_pin_names_every_extra_that_another_requirement_asks_for(lock: Path) -> None:
    """With `--require-hashes`, pip before 23.3 resolves `name[extra]` apart from a pin that is only `name==version`,
    takes the newest release, and stops because the lock has no hash of it.
    """
    pinned = {requirement.name: requirement.extras for requirement in pinned_requirements(lock)}
    demanded = [
        requirement
        for name, extras in pinned.items()
        for requirement in requirements_of(name, extras)
        if canonicalize_name(requirement.name) in pinned
    ]
    missing = [
        str(requirement)
        for requirement in demanded
        if not requirement.extras <= pinned[canonicalize_name(requirement.name)]
    ]
    assert missing == []


@pytest.mark.proves("project.locked")
def test_all_locks_are_compiled_with_the_extras_kept() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "--no-strip-extras" in makefile.partition("LOCK := ")[2].partition("\n\n")[0]


@pytest.mark.proves("project.make")
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    assert phony is not None
    assert re.findall(r"^  make ([\w-]+) +\S", run.stdout, re.MULTILINE) == phony[1].split()


def pins(path: Path) -> dict[str, str]:
    return {requirement.name: str(requirement.specifier) for requirement in pinned_requirements(path)}


def pinned_requirements(lock: Path) -> Iterator[Requirement]:
    for line in re.findall(r"^[a-z0-9][^\\#\n]*", lock.read_text(encoding="utf-8"), re.MULTILINE):
        yield Requirement(line)


def requirements_of(name: str, extras: set[str]) -> list[Requirement]:
    """What the installed distribution `name` requires here with `extras`; empty where it is not installed."""
    try:
        stated = [Requirement(line) for line in requires(name) or ()]
    except PackageNotFoundError:
        return []
    chosen = ["", *extras]
    return [
        requirement
        for requirement in stated
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in chosen)
    ]


def test_no_module_imports_itself_through_others() -> None:
    """The contracts are about packages; within one, modules could still import each other."""
    graph = grimp.build_graph("claude_openai", cache_dir=None)
    TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()
