"""The project's own files keep their promises: version, import contracts, pinned requirements, Makefile."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

import claude_openai

ROOT = Path(__file__).parent.parent
REQUIREMENT = re.compile(
    r"""
    [a-z0-9-]+==[^\s;]+(\ ;\ [^\\]+)?     # a name, its exact version, the platforms that need it
    (\ \\\n\ {4}--hash=sha256:[0-9a-f]{64})+
    (\n\ {4}\#\ .*)+                      # what asks for it
    """,
    re.VERBOSE,
)


@pytest.mark.proves("project.version")
def test_the_version_is_the_one_of_the_project_file() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert claude_openai.__version__ == project["version"]


@pytest.mark.proves("project.imports-go-down")
def test_every_import_contract_is_kept() -> None:
    assert lint_imports(config_filename=str(ROOT / ".importlinter"), no_cache=True) == EXIT_STATUS_SUCCESS


@pytest.mark.proves("project.locked")
@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt", "build.txt"])
def test_every_requirement_is_pinned_with_hashes_and_nothing_else_stands_in_the_file(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert text
    assert REQUIREMENT.sub("", text).strip() == ""


@pytest.mark.proves("project.locked")
def test_the_runtime_requirements_are_the_same_for_users_and_developers() -> None:
    runtime, dev = (pins(ROOT / "requirements" / name) for name in ("runtime.txt", "dev.txt"))
    assert runtime.items() <= dev.items()


@pytest.mark.proves("project.make.help")
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    run = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert phony is not None
    assert re.findall(r"^  make (\w+) +\S", run.stdout, re.MULTILINE) == phony[1].split()


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE))
