"""`make release-check`: what would be published installs into an empty environment and does the main job there.

It builds the sdist and the wheel, checks the metadata of each, installs each with the locked requirements into an
environment of its own, outside of the repository, and runs the demo from there.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

from packaging.metadata import Metadata

from tests.repository import ROOT

STEP_SECONDS = 600
"""For an installation without any cache; usually it is some twenty seconds."""


RELATIVE_LINK = re.compile(r"\]\((?!https?:|#)[^)\s]+\)")
"""A link of Markdown to a file, which leads nowhere on a page of the package index."""


def main() -> int:
    to_set: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="claude-openai-release-") as folder:
        built = Path(folder) / "dist"
        run(sys.executable, "-m", "hatchling", "build", "--directory", str(built), cwd=ROOT)
        for artifact in sorted(built.iterdir()):
            metadata = checked_metadata(artifact)
            print(f"{artifact.name}: {artifact.stat().st_size:,} bytes, metadata {metadata.metadata_version} is valid")
            to_set.update(left_to_set(metadata))
            environment = Path(folder) / artifact.suffix.removeprefix(".")
            print(f"  installed in an empty environment, demo: {demo(artifact, environment)}")
    for what in sorted(to_set):
        print(f"to be set before it is published: {what}")
    return 0


def left_to_set(metadata: Metadata) -> Iterator[str]:
    """What the package index needs and only the publisher knows: the address of the repository."""
    if not metadata.project_urls:
        yield "[project.urls] in pyproject.toml, with the address of the repository"
    if relative := RELATIVE_LINK.findall(metadata.description or ""):
        yield f"that address before the {len(relative)} links of README.md that lead to other files of the repository"


def checked_metadata(artifact: Path) -> Metadata:
    """The artifact's core metadata.

    Raises:
        ExceptionGroup: the metadata does not keep the specification, or the package index would not show it well.
    """
    metadata = Metadata.from_email(core_metadata(artifact), validate=True)
    problems = [
        ValueError(f"{artifact.name} has no {what}")
        for what, there in {
            "summary": metadata.summary,
            "description": metadata.description,
            "license": metadata.license_expression,
            "classifiers": metadata.classifiers,
            "Python version": metadata.requires_python,
        }.items()
        if not there
    ]
    if problems:
        raise ExceptionGroup("the metadata is not complete", problems)
    return metadata


def core_metadata(artifact: Path) -> bytes:
    if artifact.suffix == ".whl":
        with zipfile.ZipFile(artifact) as wheel:
            [name] = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
            return wheel.read(name)
    with tarfile.open(artifact) as sdist:
        [member] = [
            member for member in sdist.getmembers() if member.name.count("/") == 1 and "PKG-INFO" in member.name
        ]
        found = sdist.extractfile(member)
        assert found is not None
        return found.read()


def demo(artifact: Path, environment: Path) -> str:
    """The last line of the demo, run by the environment's Python in an empty folder."""
    venv.create(environment, with_pip=True)
    python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    locks = [ROOT / "requirements" / name for name in ("demo.txt", "build.txt")]
    run(*install, "--require-hashes", *(f"--requirement={lock}" for lock in locks), cwd=environment)
    run(*install, "--no-deps", "--no-build-isolation", str(artifact), cwd=environment)
    empty = environment / "empty"
    empty.mkdir()
    return run(str(python), str(ROOT / "examples" / "demo.py"), cwd=empty).splitlines()[-1]


def run(*command: str, cwd: Path) -> str:
    """What the command prints.

    Raises:
        SystemExit: it failed; with its output.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=STEP_SECONDS, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
