"""`make docs` writes the generated parts of the documents, and `make check` fails where one is stale."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT

COG = Path(sys.executable).with_name("cog")
CATALOGUE = ROOT / "src/claude_openai/settings/setting.py"
"""Python with a generated part."""

FAIL_MESSAGE = "run: make docs"

pytestmark = pytest.mark.proves("project.docs.names")


def cog(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COG, "-U", "-I", ROOT, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


def test_no_generated_part_of_any_page_is_stale() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), CATALOGUE]
    done = cog("--check", "--verbosity=1", *pages)
    assert (done.returncode, done.stdout) == (0, ""), FAIL_MESSAGE


def test_a_stale_part_fails_the_check_and_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "settings.md"
    fresh = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    page.write_text(fresh.replace("| `--port PORT` |", "| `--harbour PORT` |"), encoding="utf-8")
    assert cog("--check", page).returncode != 0
    assert cog("-r", page).returncode == 0
    assert page.read_text(encoding="utf-8") == fresh


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_writes_and_checks_every_page_and_names_the_remedy() -> None:
    planned = {
        target: subprocess.run(
            ["make", "--dry-run", target],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=True,
        ).stdout
        for target in ("docs", "check")
    }
    files = (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), CATALOGUE)
    pages = {path.relative_to(ROOT).as_posix() for path in files}
    writes = " ".join(re.findall(r"cog .*-r (.*)", planned["docs"]))
    (checks,) = re.findall(r"cog .*--check .*", planned["check"])
    assert pages <= set(writes.split())
    assert pages <= set(checks.split())
    assert FAIL_MESSAGE in checks
