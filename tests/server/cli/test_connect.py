"""`claude-openai connect`: what is printed for which server, and that a client's configuration loses nothing."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from claude_openai.cli import run
from claude_openai.cli.commands.connect import listed, place_of
from claude_openai.cli.config_edits import EDITS, merge
from claude_openai.cli.config_merge import CannotMergeError, changes
from claude_openai.recipes import KEY_VARIABLE, RECIPES, ROOT, URL, Part, Recipe
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


@pytest.mark.proves("connect.prints")
def test_without_a_client_all_are_listed_with_the_file_that_can_be_written(person: Person) -> None:
    ran = person.types("connect")
    assert (ran.code, ran.err, ran.out) == (0, "", listed())
    assert [line.split()[0] for line in ran.out.splitlines()] == list(RECIPES)
    assert ran.out.count("~/") == len(WITH_CONFIG)


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
    assert ELSEWHERE in texts
    assert ROOT not in texts


LANGUAGES: dict[str, Callable[[str], object]] = {
    "json": json.loads,
    "yaml": YAML(typ="safe", pure=True).load,
    "toml": tomlkit.parse,
}


@pytest.mark.proves("connect.prints")
@pytest.mark.parametrize("name", RECIPES)
def test_every_text_is_valid_in_its_language(name: str) -> None:
    for part in RECIPES[name].parts:
        if part.language in LANGUAGES:
            assert LANGUAGES[part.language](part.text)
        elif part.language == "sh":
            subprocess.run(["sh", "-n"], input=part.text, text=True, check=True)
        assert part.text.endswith("\n")


@pytest.mark.proves("connect.key")
@pytest.mark.parametrize("name", RECIPES)
def test_no_text_has_a_key_only_the_variable_of_one(name: str) -> None:
    recipe = RECIPES[name]
    texts = "".join(part.text for part in recipe.parts) + recipe.note
    in_a_form = any(part.is_form for part in recipe.parts) or "${input:" in texts
    assert KEY_VARIABLE in texts or in_a_form


@pytest.mark.proves("connect.key")
def test_the_key_is_printed_only_if_it_is_asked_for(person: Person) -> None:
    variables = {KEY_VARIABLE: KEY}
    assert KEY not in str(person.types("connect", "codex", **variables))
    assert f"export {KEY_VARIABLE}={KEY}\n" in person.types("connect", "codex", "--show-key", **variables).out
    assert f"export {KEY_VARIABLE}=none\n" in person.types("connect", "codex", "--show-key").out


@pytest.mark.proves("connect.prints", "connect.key")
def test_what_is_printed_is_for_the_server_that_runs_and_the_key_that_it_asks_for(machine: Machine) -> None:
    none = f"export {KEY_VARIABLE}=none\n"
    start = ("--background", "--simulate", "--port", "0", "--warm-processes", "0")
    assert machine.types(*start).code == 0
    url = json.loads(machine.types("status", "--json").out)["servers"][0]["url"]
    ran = machine.types("connect", "openai-python")
    (part,) = RECIPES["openai-python"].parts
    assert (ran.code, ran.out) == (0, part.text.replace(URL, f"{url}/v1"))
    assert none in machine.types("connect", "codex").err
    assert machine.types("stop").code == 0
    assert machine.types(*start, CLAUDE_OPENAI_API_KEY=KEY).code == 0
    asked = machine.types("connect", "codex")
    assert f"export {KEY_VARIABLE}=...\n" in asked.err
    shown = machine.types("connect", "codex", "--show-key")
    assert "export" not in shown.out
    assert "is not known here: name the server's file of keys with --show-key --api-key-file FILE" in shown.err
    (machine.home / "keys").write_text(KEY)
    named = machine.types("connect", "codex", "--show-key", "--api-key-file", str(machine.home / "keys"))
    assert f"export {KEY_VARIABLE}={KEY}\n" in named.out
    assert none not in asked.err
    assert "which is set here" in machine.types("connect", "codex", CLAUDE_OPENAI_API_KEY=KEY).err
    assert machine.types("stop").code == 0


@pytest.mark.proves("connect.prints")
@pytest.mark.parametrize("client", ["any", "ANY", "nobody"])
def test_any_client_gets_address_key_and_model(person: Person, client: str) -> None:
    ran = person.types("connect", client)
    assert ran.code == 0
    assert f"Base URL: {URL}\n" in ran.out
    assert f"export OPENAI_BASE_URL={URL}\n" in ran.out
    assert f'export OPENAI_API_KEY="${KEY_VARIABLE}"\n' in ran.out
    assert "export OPENAI_MODEL=sonnet\n" in ran.out


@pytest.mark.proves("connect.prints")
def test_a_name_may_be_typed_as_people_write_it(person: Person) -> None:
    assert person.types("connect", "Open WebUI").out == person.types("connect", "open-webui").out


@pytest.mark.proves("connect.prints")
@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("opncode", "opencode"),
        ("OpenWebUI", "open-webui"),
        ("copilot", "vscode or obsidian-copilot"),
        ("Vercel", "ai-sdk"),
    ],
)
def test_a_word_that_is_near_names_the_client_that_is_meant(person: Person, word: str, meant: str) -> None:
    ran = person.types("connect", word)
    assert ran.code == 0
    assert f"no recipe for {word!r}; did you mean {meant}?\n" in ran.err


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


KEPT = {
    "opencode": '{\n\t// first\n\t"n": 1.50e0, "theme": "mine", /* why */\n\t"provider": {\n\t\t"x": {},\n\t},\n}\n',
    "qwen-code": '{"model": {"name": "mine"}, "modelProviders": {"openai": [{"id": "x"}]}} // one line',
    "aider": "# mine\nmodel: another # the one I like\nx: [1,   2]\n\n# the end\n",
    "llm": "# mine\n- model_id: mine\n  model_name:   x # spaces\n# the end",
    "continue": "name: Mine\r\nmodels:\r\n- name: 'other' # local\r\ncontext:\r\n    - provider: code\r\n",
    "codex": 'model = "another"  # mine\n\n[agents]\nenabled   = true\n\n[model_providers.mine]\nname="y"\n',
}
"""Files of a user's, with comments and a form of their own."""


@pytest.mark.proves("connect.writes")
@pytest.mark.parametrize("name", KEPT)
def test_a_users_file_keeps_comments_order_and_form(person: Person, name: str) -> None:
    place, _ = of(person, RECIPES[name])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(KEPT[name].encode())
    ran = person.types("connect", name, "--write")
    assert ran.code == 0, ran
    now = place.read_bytes().decode()
    assert is_in(KEPT[name], now)
    assert now.count("\r\n") in {0, now.count("\n")}
    assert person.types("connect", name, "--write").code == 0
    assert place.read_bytes().decode() == now


@pytest.mark.proves("connect.writes")
def test_a_value_of_the_users_stays_and_is_named(person: Person) -> None:
    place, _ = of(person, RECIPES["aider"])
    write(place, "model: another\n")
    ran = person.types("connect", "aider", "--write")
    assert "; left as it is there, to be changed by you: model (for this server: openai/sonnet)\n" in ran.err
    assert place.read_text(encoding="utf-8").startswith("model: another\nopenai-api-base: ")


@pytest.mark.proves("connect.writes")
def test_an_empty_list_gets_our_entry() -> None:
    merged = merge("name: Local\nversion: 1.0.0\nschema: v1\nmodels: []\n", yaml_part("continue"), "yaml")
    assert merged.text.startswith(
        "name: Local\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: Claude Code\n    provider"
    )


@pytest.mark.proves("connect.refuses")
@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("aider", "model: [another\n"),
        ("continue", "models: [{name: mine}]\n"),
        ("codex", "model = another\n"),
        ("opencode", '{"theme": mine}'),
        ("opencode", '{"theme": "mine"} {}'),
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
    assert (ran.code, ran.out) == (1, person.types("connect", "openai-node").out)
    assert ran.out
    assert "openai for Node has no configuration file that can be written (put the printed lines" in ran.err


@pytest.mark.proves("connect.refuses")
def test_nothing_is_written_for_a_client_that_is_not_known(person: Person) -> None:
    ran = person.types("connect", "nobody", "--write")
    assert (ran.code, ran.out) == (1, "")
    assert "no recipe for 'nobody' (see " in ran.err


# How configurations are joined.

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(NAMES, each, max_size=3),
    max_leaves=10,
)
FILES = st.dictionaries(
    NAMES | st.sampled_from(["provider", "model", "modelProviders", "models", "agents", "model_providers"]), VALUES
)
SPACES = st.sampled_from(["", " ", "\n", "\t", "  // said\n", '/* said, "}" */', "\r\n    "])


def yaml_part(name: str) -> str:
    part = RECIPES[name].config
    assert part is not None
    return part.text


def expected(theirs: object, ours: object) -> object:
    """What the rule says, on plain values."""
    values = theirs
    for change in changes(theirs, ours, []):
        values = change.on(values)
    return values


def is_in(part: str, whole: str) -> bool:
    """Whether each character of `part` is in `whole`, in the same order, but for what separates and ends entries."""
    rest = iter(whole)
    return all(each in rest for each in part.rstrip())


@st.composite
def json_texts(draw: st.DrawFn) -> str:
    """A file of settings with comments and spaces anywhere, and perhaps commas at the end."""

    def written(value: object) -> str:
        if not isinstance(value, dict | list):
            return json.dumps(value, ensure_ascii=draw(st.booleans()))
        items = (
            [f"{json.dumps(name)}{draw(SPACES)}:{draw(SPACES)}{written(each)}" for name, each in value.items()]
            if isinstance(value, dict)
            else list(map(written, value))
        )
        inner = ",".join(f"{draw(SPACES)}{item}{draw(SPACES)}" for item in items)
        end = draw(st.sampled_from(["", ","])) if items else ""
        first, last = "{}" if isinstance(value, dict) else "[]"
        return f"{first}{inner}{end}{draw(SPACES)}{last}"

    return f"{draw(SPACES)}{written(draw(FILES))}{draw(SPACES)}"


@pytest.mark.proves("connect.writes")
@settings(max_examples=30)
@given(theirs=json_texts())
@pytest.mark.parametrize("name", ["opencode", "qwen-code"])
def test_json_has_ours_and_every_character_of_theirs(name: str, theirs: str) -> None:
    check(name, theirs, "json")


@pytest.mark.proves("connect.writes")
@settings(max_examples=30)
@given(values=FILES, indent=st.integers(2, 6))
@pytest.mark.parametrize("name", ["continue", "aider"])
def test_yaml_has_ours_and_every_character_of_theirs(name: str, values: dict[str, object], indent: int) -> None:
    writer, stream = YAML(typ="safe", pure=True), StringIO()
    writer.default_flow_style, writer.width = False, 4096
    writer.indent(mapping=indent, sequence=indent + 2, offset=indent)
    writer.dump(values, stream)
    check(name, f"# said\n{stream.getvalue()}# the end\n", "yaml")


@pytest.mark.proves("connect.writes")
@settings(max_examples=30)
@given(values=FILES)
def test_toml_has_ours_and_every_character_of_theirs(values: dict[str, object]) -> None:
    try:
        theirs = f"# said\n{tomlkit.dumps(without_null(values))}# the end\n"
    except (TypeError, ValueError):  # lists of mixed types
        return
    check("codex", theirs, "toml")


def without_null(value: object) -> Any:
    match value:
        case dict():
            return {name: without_null(each) for name, each in value.items() if each is not None}
        case list():
            return [without_null(each) for each in value if each is not None]
        case _:
            return value


def check(name: str, theirs: str, form: str) -> None:
    ours, edits = yaml_part(name), EDITS[form]
    try:
        before = edits.parsed(theirs)
        merged = merge(theirs, ours, form)
    except CannotMergeError:
        return
    after = edits.parsed(merged.text)
    assert after == expected(before, edits.parsed(ours))
    assert holds(after, before)
    assert merge(merged.text, ours, form).text == merged.text
    if form == "json" or not {"[]", "{}"} & set(theirs.split()):  # an empty list of YAML becomes one of lines
        assert is_in(theirs, merged.text)


def holds(whole: object, part: object) -> bool:
    """Whether all of `part` is in `whole`."""
    match whole, part:
        case dict(), dict():
            return all(name in whole and holds(whole[name], value) for name, value in part.items())
        case list(), list():
            return all(value in whole for value in part)
        case _:
            return whole == part
