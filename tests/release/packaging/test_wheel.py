"""What is installed is the package, whole, and nothing else."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.repository import ROOT

PACKAGE = ROOT / "src" / "claude_openai"

BUILD_SECONDS = 60
"""For one build on a busy machine; it takes less than one."""


@pytest.mark.proves("project.wheel")
def test_the_wheel_has_every_file_of_the_package_and_nothing_beside_it(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=BUILD_SECONDS)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.partition("/")[0].endswith(".dist-info")}
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and path.parent.name != "__pycache__"}
    assert held == {path.relative_to(PACKAGE.parent).as_posix() for path in files}
    assert "claude_openai/py.typed" in held
