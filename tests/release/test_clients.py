"""The clients of `make clients`: that each is pinned, and that the page of clients says what the code says.

The clients themselves do not run here: their environments are theirs, and take minutes to make.
"""

import json
import re

import pytest

from claude_openai.recipes import ANY, RECIPES
from clients import matrix
from clients.capabilities import CAPABILITIES, Returned, Seen
from clients.catalogue import CLIENTS, Client
from clients.matrix import Outcome, Result, between, table
from tests.repository import ROOT

PAGE = (ROOT / "docs" / "guide" / "clients.md").read_text(encoding="utf-8")

NOT_TRIED = {recipe.name for recipe in RECIPES.values() if recipe.checked != "run here"}
"""They live in an editor or a browser, or take more than a package: their recipes are from a documentation."""

EACH = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.name)


@pytest.mark.proves("clients.matrix")
@EACH
def test_every_client_is_pinned_to_one_version_and_its_lock_names_no_address(client: Client) -> None:
    assert re.fullmatch(r"\d+(\.\d+)+", client.version)
    for lock in (client.place / "requirements.txt", client.place / "package-lock.json"):
        if lock.exists():
            text = lock.read_text(encoding="utf-8")
            assert re.findall(r'"resolved"|--index|--find-links|@ (?:https?|file):', text) == []
            assert "sha256:" in text or "sha512-" in text


@pytest.mark.proves("clients.matrix")
def test_what_packages_for_node_are_asked_for_is_exact() -> None:
    for manifest in (ROOT / "clients").glob("*/package.json"):
        asked = json.loads(manifest.read_text(encoding="utf-8"))["dependencies"]
        assert [version for version in asked.values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


@pytest.mark.proves("project.docs.names")
@EACH
def test_every_client_has_its_row_on_the_page_with_the_version_that_is_tried(client: Client) -> None:
    assert f"| {client.title} | {client.version} |" in PAGE, "make it: make clients ARGS=--write"


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("name", sorted(NOT_TRIED - {ANY}))
def test_a_recipe_that_is_not_tried_names_the_page_that_it_is_from(name: str) -> None:
    assert RECIPES[name].source.startswith("https://")
    assert f"{RECIPES[name].checked.capitalize()}: <{RECIPES[name].source}>.\n" in PAGE


@pytest.mark.proves("project.docs.names")
def test_every_recipe_is_tried_as_it_is_pasted() -> None:
    assert {client.recipe for client in CLIENTS if client.recipe} == RECIPES.keys() - NOT_TRIED


WRONG: dict[str, Returned] = {
    "paste": {"text": "Hello! I am a simulated model."},
    "models": {"models": ["gpt-4o"]},
    "answer": {"text": "hello, hello"},
    "stream": {"pieces": ["1, 2, 3, 4, 5"]},
    "usage": {"usage": [0, 1]},
    "tools": {"called": ["Rome"], "text": "get_weather answered: 21 degrees in Paris"},
    "conversation": {"texts": ["one", "two", "three"]},
    "image": {"text": "A red square."},
    "forced": {"value": {"city": "Paris"}},
    "schema": {"value": {"city": "Paris", "degrees": "21"}},
    "reasoning": {"reasoning": None, "text": "42"},
    "edit": {"text": "Painted."},
    "suite": {"passed": 0, "failed": []},
}
"""What a client returns of which something is wrong, or nothing of which has reached the model."""


@pytest.mark.proves("clients.matrix")
@pytest.mark.parametrize("name", CAPABILITIES)
def test_every_check_finds_what_is_wrong(name: str) -> None:
    assert list(CAPABILITIES[name].check(WRONG[name], Seen(())))


@pytest.mark.proves("clients.matrix")
def test_the_table_has_a_row_for_each_client_and_a_cell_for_each_capability() -> None:
    one, other = CLIENTS[0], CLIENTS[2]
    made = table(
        [
            Result(one, "answer", Outcome.PASS),
            Result(one, "stream", Outcome.FAIL, "it came in 1 pieces"),
            Result(other, matrix.START, Outcome.SKIP, "node is not installed"),
        ]
    )
    heads, _, first, second, *_ = [line.split(" | ") for line in made.removeprefix("| ").splitlines()]
    cells = dict(zip(heads, first, strict=True))
    assert (cells["Version"], cells["answer"], cells["stream"], cells["tools"]) == (one.version, "yes", "**no**", "·")
    assert set(second[2:]) <= {"skipped", "skipped |"}
    assert len(second) == 2 + len(CAPABILITIES)


@pytest.mark.proves("clients.matrix")
def test_a_page_keeps_all_but_what_is_between_its_marks() -> None:
    begin, end = matrix.MATRIX
    assert (
        between(matrix.MATRIX, "new\n", f"before\n{begin}old\n{end}\nafter\n") == f"before\n{begin}new\n{end}\nafter\n"
    )
