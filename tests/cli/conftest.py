"""A machine for each test module, whose servers end with it."""

from collections.abc import Iterator

import pytest

from tests.cli.typed import Machine


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine.at(tmp_path_factory.mktemp("machine"))
    yield machine
    machine.types("stop", "--all")
    assert list(machine.temporary.iterdir()) == []
