"""Rows of `requirements.py`, tests and pages agree. Tests are read, not run, so a selection proves it too."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, pairwise
from textwrap import dedent

import pytest

from tests.repository import ROOT, anchors
from tests.requirements import PROMISES, REQUIREMENTS

TESTS = ROOT / "tests"
KNOWN = frozenset(row.id for row in REQUIREMENTS)
OPENAIS_REFERENCE = "https://platform.openai.com/docs/api-reference/"
SHELVES_OF_PROMISES = ("server/", "claude_code/")
"""What a client or a person meets. Tests of `unit` and `release` need no row."""

WELL_FORMED = re.compile(r"[a-z]+(\.[a-z0-9]+(-[a-z0-9]+)*)+")


@dataclass(frozen=True, slots=True)
class Proof:
    """A test and the rows it names itself or through its class or module."""

    test: str
    rows: frozenset[str]


def test_every_row_is_proved_by_a_test() -> None:
    proved = frozenset(chain.from_iterable(proof.rows for proof in written_proofs()))
    unproved = sorted(KNOWN - proved)
    assert not unproved, "no test names\n" + "\n".join(unproved)


def test_every_test_of_the_server_and_of_claude_code_names_a_row() -> None:
    shelves = (proof for proof in written_proofs() if proof.test.startswith(SHELVES_OF_PROMISES))
    rowless = [proof.test for proof in shelves if not proof.rows]
    assert not rowless, "no row is named by\n" + "\n".join(rowless)


def test_no_test_names_a_row_that_is_not_there() -> None:
    unknown = {proof.test: sorted(proof.rows - KNOWN) for proof in written_proofs() if proof.rows - KNOWN}
    assert unknown == {}


@pytest.mark.parametrize("page", PROMISES)
def test_every_row_is_under_a_page_and_a_heading_that_exist(page: str) -> None:
    if page.startswith(OPENAIS_REFERENCE):
        return
    path, _, anchor = page.partition("#")
    assert (ROOT / path).is_file()
    assert anchor in anchors(path)


def test_no_two_rows_share_an_id() -> None:
    ids = sorted(row.id for row in REQUIREMENTS)
    assert [one for one, other in pairwise(ids) if one == other] == []


def test_every_id_is_well_formed() -> None:
    assert [row.id for row in REQUIREMENTS if not WELL_FORMED.fullmatch(row.id)] == []


def test_rows_are_read_from_marks_on_tests_parameters_classes_and_modules() -> None:
    source = """
        pytestmark = [pytest.mark.anyio, pytest.mark.proves("module.row")]

        @pytest.mark.proves("test.row", "second.row")
        @pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.proves("parameter.row"))])
        async def test_marked(n): ...

        @pytest.mark.proves("class.row")
        class TestGroup:
            @pytest.mark.proves("method.row")
            def test_method(self): ...
            def helper(self): ...

        @pytest.mark.proves("suite.row")
        class TestSuite(Conformance):
            def fixture(self): ...
    """
    assert list(proofs(dedent(source), "t.py")) == [
        Proof("t.py::test_marked", frozenset({"module.row", "test.row", "second.row", "parameter.row"})),
        Proof("t.py::TestGroup::test_method", frozenset({"module.row", "class.row", "method.row"})),
        Proof("t.py::TestSuite", frozenset({"module.row", "suite.row"})),
    ]


def test_a_test_without_a_mark_is_found_to_name_no_row() -> None:
    assert list(proofs("def test_bare(): ...", "t.py")) == [Proof("t.py::test_bare", frozenset())]


def test_an_id_that_is_not_written_out_is_refused() -> None:
    with pytest.raises(TypeError, match="write the id out"):
        list(proofs("@pytest.mark.proves(ROW)\ndef test_indirect(): ...", "t.py"))


def written_proofs() -> Iterator[Proof]:
    for path in sorted(TESTS.rglob("test_*.py")):
        yield from proofs(path.read_text(encoding="utf-8"), path.relative_to(TESTS).as_posix())


def proofs(source: str, name: str) -> Iterator[Proof]:
    module = ast.parse(source)
    return _proofs_within(module.body, name, _module_rows(module))


def _proofs_within(body: Iterable[ast.stmt], name: str, rows: frozenset[str]) -> Iterator[Proof]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() if node.name.startswith("test"):
                yield Proof(f"{name}::{node.name}", rows | _rows(node.decorator_list))
            case ast.ClassDef() if node.name.startswith("Test"):
                yield from _proofs_of_class(node, f"{name}::{node.name}", rows | _rows(node.decorator_list))


def _proofs_of_class(node: ast.ClassDef, name: str, rows: frozenset[str]) -> Iterator[Proof]:
    """Those of its own tests, and the class itself where it inherits tests, as from a conformance suite."""
    yield from _proofs_within(node.body, name, rows)
    if node.bases:
        yield Proof(name, rows)


def _module_rows(module: ast.Module) -> frozenset[str]:
    marks = (
        node.value
        for node in module.body
        if isinstance(node, ast.Assign) and "pytestmark" in (ast.unparse(target) for target in node.targets)
    )
    return _rows(marks)


def _rows(marks: Iterable[ast.expr]) -> frozenset[str]:
    calls = (node for mark in marks for node in ast.walk(mark) if isinstance(node, ast.Call))
    named = (call.args for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "proves")
    return frozenset(_written_out(argument) for argument in chain.from_iterable(named))


def _written_out(argument: ast.expr) -> str:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    message = f"write the id out instead of `{ast.unparse(argument)}`"
    raise TypeError(message)
