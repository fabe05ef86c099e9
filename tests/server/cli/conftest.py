"""A machine for each test module, whose servers end with it."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.server.cli.typed import Machine


@pytest.fixture(scope="module")
def machine(sandbox: Path) -> Iterator[Machine]:
    """Its path is short, wherever the temporary folder is: a server logs a warning where it is too long for sockets."""
    with TemporaryDirectory(prefix="m-", dir=sandbox.parent) as folder:
        machine = Machine.at(Path(folder).resolve())
        yield machine
        machine.types("stop", "--all")
        assert list(machine.temporary.rglob("*")) == []
