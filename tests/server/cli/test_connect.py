"""`claude-openai connect`: what is printed for which server, and that a client's configuration loses nothing."""

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_openai.cli import run
from claude_openai.cli.commands.connect import listed, place_of
from claude_openai.cli.config_merge import CannotMergeError, merge
from claude_openai.cli.recipes import KEY_VARIABLE, RECIPES, URL, Part, Recipe
from tests.server.cli.typed import Machine, Typed

ELSEWHERE = "http://127.0.0.1:9000"
KEY = "open-sesame-1006"

WITH_CONFIG = [recipe for recipe in RECIPES.values() if recipe.config]


@dataclass(frozen=True)
class Person:
    """Somebody for whom no server runs. What is typed runs in this process, as it starts nothing."""

    home: Path
    capture: pytest.CaptureFixture[str]

    def types(self, *arguments: str, **variables: str) -> Typed:
        code = run(arguments, {**os.environ, **variables})
        return Typed(code, *self.capture.readouterr())


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Person:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / ".config"))
    return Person(tmp_path / "home", capsys)


def of(person: Person, recipe: Recipe) -> tuple[Path, Part]:
    """The configuration of a client: where it is and what we write there."""
    assert recipe.config is not None
    return person.home / recipe.config.where.removeprefix("~/"), recipe.config


def write(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return text


# What is printed.


@pytest.mark.proves("connect.lists")
def test_without_a_client_all_are_listed_with_the_file_that_can_be_written(person: Person) -> None:
    ran = person.types("connect")
    assert (ran.code, ran.err, ran.out) == (0, "", listed())
    assert [line.split()[0] for line in ran.out.splitlines()] == list(RECIPES)
    assert ran.out.count("~/") == len(WITH_CONFIG)


@pytest.mark.proves("connect.prints")
def test_what_is_printed_is_for_the_server_that_runs(machine: Machine) -> None:
    assert machine.types("--background", "--simulate", "--port", "0").code == 0
    url = json.loads(machine.types("status", "--json").out)["servers"][0]["url"]
    ran = machine.types("connect", "openai-python")
    (part,) = RECIPES["openai-python"].parts
    assert (ran.code, ran.out) == (0, part.text.replace(URL, f"{url}/v1"))


@pytest.mark.proves("connect.prints")
def test_where_no_server_runs_it_is_for_one_at_the_usual_address_and_says_so(person: Person) -> None:
    ran = person.types("connect", "codex")
    assert ran.code == 0
    assert ran.out == "".join(part.text for part in RECIPES["codex"].parts)
    assert ran.err.startswith("no server of yours runs; this is for one at the usual address\n")
    assert "In ~/.codex/claude.config.toml:\n" in ran.err


@pytest.mark.proves("connect.prints")
@pytest.mark.parametrize("name", RECIPES)
def test_every_text_has_the_address_of_the_server_that_is_named(name: str) -> None:
    texts = "".join(part.text for part in RECIPES[name].at(f"{ELSEWHERE}/v1").parts)
    assert f"{ELSEWHERE}/v1" in texts
    assert URL not in texts


@pytest.mark.proves("connect.key")
@pytest.mark.parametrize("name", RECIPES)
def test_no_text_has_a_key_only_the_variable_of_one(name: str) -> None:
    recipe = RECIPES[name]
    assert KEY_VARIABLE in "".join(part.text for part in recipe.parts) + recipe.note or name == "aider"


@pytest.mark.proves("connect.key")
def test_the_key_is_printed_only_if_it_is_asked_for(person: Person) -> None:
    variables = {KEY_VARIABLE: KEY}
    assert KEY not in str(person.types("connect", "codex", **variables))
    assert f"export {KEY_VARIABLE}={KEY}\n" in person.types("connect", "codex", "--show-key", **variables).out
    assert f"export {KEY_VARIABLE}=none\n" in person.types("connect", "codex", "--show-key").out


# What is written.


@pytest.mark.proves("connect.writes")
@pytest.mark.parametrize("recipe", WITH_CONFIG, ids=lambda recipe: recipe.name)
def test_a_configuration_is_made_where_the_client_looks_for_it_and_then_left_alone(
    person: Person, recipe: Recipe
) -> None:
    place, part = of(person, recipe)
    made, again = (person.types("connect", recipe.name, "--write") for _ in range(2))
    assert (made.code, place.read_text(encoding="utf-8")) == (0, part.text)
    assert f"wrote {place}\n" in made.err
    assert f"{place} has it already\n" in again.err
    assert list(place.parent.iterdir()) == [place]
    assert part.text not in made.out


@pytest.mark.proves("connect.writes")
def test_what_the_client_is_told_besides_stays_and_what_the_file_was_is_kept(person: Person) -> None:
    place, _ = of(person, RECIPES["opencode"])
    mine = {"theme": "mine", "provider": {"another": {"name": "Another"}, "claude-openai": {"name": "old"}}}
    before = write(place, json.dumps(mine))
    place.chmod(0o600)
    ran = person.types("connect", "opencode", "--write", "--url", ELSEWHERE)
    now = json.loads(place.read_text(encoding="utf-8"))
    kept = place.with_name("opencode.json.before-1")
    assert (ran.code, f"wrote {place}; the file from before is {kept}\n" in ran.err) == (0, True)
    assert (now["theme"], now["provider"]["another"]) == ("mine", {"name": "Another"})
    assert now["provider"]["claude-openai"]["options"]["baseURL"] == f"{ELSEWHERE}/v1"
    assert kept.read_text(encoding="utf-8") == before
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.proves("connect.writes")
def test_a_link_to_a_configuration_stays_a_link(person: Person, tmp_path: Path) -> None:
    place, _ = of(person, RECIPES["opencode"])
    write(there := tmp_path / "dotfiles.json", "{}")
    place.parent.mkdir(parents=True)
    place.symlink_to(there)
    assert person.types("connect", "opencode", "--write").code == 0
    assert place.is_symlink()
    assert "claude-openai" in there.read_text(encoding="utf-8")


@pytest.mark.proves("connect.writes")
def test_a_client_that_looks_elsewhere_finds_it_there(tmp_path: Path) -> None:
    moved = {"CODEX_HOME": "codex", "LLM_USER_PATH": "llm", "XDG_CONFIG_HOME": "config"}
    environ = {variable: str(tmp_path / folder) for variable, folder in moved.items()}
    places = {recipe.name: place_of(part, environ) for recipe in WITH_CONFIG if (part := recipe.config)}
    assert places["codex"] == tmp_path / "codex" / "claude.config.toml"
    assert places["llm"] == tmp_path / "llm" / "extra-openai-models.yaml"
    assert places["opencode"] == tmp_path / "config" / "opencode" / "opencode.json"


@pytest.mark.proves("connect.writes")
def test_what_was_written_for_another_server_is_brought_up_to_date(person: Person) -> None:
    place, part = of(person, RECIPES["codex"])
    for url in (ELSEWHERE, "http://127.0.0.1:9001"):
        assert person.types("connect", "codex", "--write", "--url", url).code == 0
    assert place.read_text(encoding="utf-8") == part.text.replace(URL, "http://127.0.0.1:9001/v1")


@pytest.mark.proves("connect.refuses")
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("aider", "model: another # the one I like\n"),
        ("codex", 'model = "another"\n'),
        ("opencode", '{"theme": "mine"} // a comment\n'),
        ("opencode", '{"provider": ["another"]}'),
        ("opencode", '["another"]'),
    ],
)
def test_what_cannot_be_joined_is_left_as_it_is_and_the_reason_told(person: Person, name: str, theirs: str) -> None:
    place, _ = of(person, RECIPES[name])
    write(place, theirs)
    ran = person.types("connect", name, "--write")
    assert (ran.code, ran.out) == (1, "")
    assert f"{place} was left as it is: there is one already" in ran.err
    assert f"(see claude-openai connect {name})" in ran.err
    assert place.read_text(encoding="utf-8") == theirs
    assert list(place.parent.glob(f"{place.name}*")) == [place]


@pytest.mark.proves("connect.refuses")
def test_a_client_without_a_configuration_file_is_told_as_such(person: Person) -> None:
    ran = person.types("connect", "openai-node", "--write")
    assert (ran.code, ran.out) == (1, "")
    assert "openai for Node has no configuration file (put the printed lines into your program)" in ran.err


@pytest.mark.proves("connect.refuses")
def test_a_client_that_is_not_known_is_refused_with_those_that_are(person: Person) -> None:
    ran = person.types("connect", "nobody")
    assert (ran.code, ran.out) == (2, "")
    assert ", ".join(RECIPES) in ran.err


# How configurations are joined.

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3),
    max_leaves=10,
)


@pytest.mark.proves("connect.writes")
@settings(deadline=None)
@given(theirs=st.dictionaries(st.text(max_size=5) | st.sampled_from(["provider", "model", "modelProviders"]), VALUES))
@pytest.mark.parametrize("name", ["opencode", "qwen-code"])
def test_nothing_that_was_there_is_lost(name: str, theirs: dict[str, object]) -> None:
    part = RECIPES[name].config
    assert part is not None
    try:
        both = json.loads(merge(json.dumps(theirs), part.text, "json"))
    except CannotMergeError:
        return
    assert holds(both, theirs)
    assert json.loads(merge(json.dumps(both), part.text, "json")) == both


def holds(whole: object, part: object) -> bool:
    """Whether all of `part` is in `whole`."""
    match whole, part:
        case dict(), dict():
            return all(name in whole and holds(whole[name], value) for name, value in part.items())
        case list(), list():
            return all(value in whole for value in part)
        case _:
            return whole == part
