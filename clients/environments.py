"""An environment of its own for each client, pinned by the locks in the client's folder and kept under `.clients`.

It is made once: its folder is named by a digest of what it is made of, so one that is there is the right one.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CACHE: Final = HERE.parent / ".clients"

INSTALL_SECONDS: Final = 900
"""The largest brings some 400 MB."""

PYTHON_LOCK, NODE_LOCK, NODE_PACKAGE = "requirements.txt", "package-lock.json", "package.json"


class NotInstallableError(Exception):
    """Why a client cannot be had on this machine, in a sentence."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where a client is installed."""

    folder: Path

    @property
    def programs(self) -> Path:
        """The folder of the commands that came with it."""
        return self.folder / ("node_modules/.bin" if (self.folder / NODE_PACKAGE).exists() else "bin")

    def running(self, program: Path) -> tuple[str, ...]:
        """The command that runs a program in it. Python is that of this process where none was installed."""
        if program.suffix == ".mjs":
            return (_program("node"), str(program))
        python = self.programs / "python"
        return (str(python) if python.exists() else sys.executable, str(program))


def environment(client: Path) -> Environment:
    """That of the client in this folder, made if there is none yet.

    Raises:
        NotInstallableError: it cannot be made here.
    """
    locks = [client / name for name in (PYTHON_LOCK, NODE_PACKAGE, NODE_LOCK) if (client / name).exists()]
    digest = hashlib.sha256(sys.version.encode() + b"".join(lock.read_bytes() for lock in locks)).hexdigest()[:12]
    folder = CACHE / f"{client.name}-{digest}"
    if not folder.exists():
        _make(folder, client)
    return Environment(folder)


def pinned(client: Path, package: str) -> str:
    """The version of `package` that the client's lock has."""
    if (client / PYTHON_LOCK).exists():
        lines = (client / PYTHON_LOCK).read_text(encoding="utf-8").splitlines()
        return next(line.split("==")[1].split()[0] for line in lines if re.match(rf"{package}(\[|==)", line))
    manifest: Mapping[str, Mapping[str, str]] = json.loads((client / NODE_PACKAGE).read_text(encoding="utf-8"))
    return manifest["dependencies"][package]


def _make(folder: Path, client: Path) -> None:
    """Under another name first, so that what was interrupted is not taken for whole."""
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for older in CACHE.glob(f"{client.name}-????????????"):
        shutil.rmtree(older)
    unfinished.mkdir(parents=True)
    if (client / PYTHON_LOCK).exists():
        _install_python(unfinished, client / PYTHON_LOCK)
    else:
        _install_node(unfinished, client)
    unfinished.rename(folder)


def _install_python(folder: Path, lock: Path) -> None:
    _run(sys.executable, "-m", "uv", "venv", "--quiet", "--relocatable", "--allow-existing", str(folder))
    where = ("--python", str(folder / "bin" / "python"))
    _run(sys.executable, "-m", "uv", "pip", "install", "--quiet", *where, "--require-hashes", "-r", str(lock))


def _install_node(folder: Path, client: Path) -> None:
    for name in (NODE_PACKAGE, NODE_LOCK):
        shutil.copy(client / name, folder)
    # Not `ci`: a lock names the binaries of the machine that made it, and the others are pinned by their package.
    _run(_program("npm"), "install", "--no-audit", "--no-fund", "--ignore-scripts", directory=folder)
    _run(_program("npm"), "run", "--silent", "--if-present", "ready", directory=folder)


def _program(name: str) -> str:
    if found := shutil.which(name):
        return found
    raise NotInstallableError(f"{name} is not installed")


def _run(*argv: str, directory: Path | None = None) -> None:
    try:
        done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstallableError(f"not installed within {INSTALL_SECONDS} seconds") from None
    if done.returncode:
        complaints = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        raise NotInstallableError(f"not installable here: {(complaints or [done.stderr.strip()])[0][:200]}")
