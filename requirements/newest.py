"""What `make newest` installs: every requirement by name alone, so that pip takes its newest release.

With `--changed` it prints what is installed beside what the locks pin. It needs nothing but the standard library.
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

HERE = Path(__file__).parent
NAME = re.compile(r"[A-Za-z0-9._-]+(\[[A-Za-z0-9,_-]+\])?")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", re.MULTILINE)


def names() -> list[str]:
    """The names, with extras, of pyproject.toml's dependencies and of the developers' tools."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    tools = (HERE / "dev.in").read_text(encoding="utf-8").split()
    return sorted({match[0] for each in (*project["dependencies"], *tools) if (match := NAME.match(each))})


def changed() -> list[str]:
    """A line for each package whose installed version is not the pinned one."""
    lines = []
    for name, pinned in PINNED.findall((HERE / "dev.txt").read_text(encoding="utf-8")):
        try:
            installed = version(name)
        except PackageNotFoundError:
            continue  # the lock has packages for other systems
        if installed != pinned:
            lines.append(f"{name} {pinned} -> {installed}")
    return lines


if __name__ == "__main__":
    print("\n".join(changed() or ["nothing is newer than the locks"] if "--changed" in sys.argv else names()))
