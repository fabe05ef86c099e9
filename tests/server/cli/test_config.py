"""`claude-openai config`: every setting, its value and its origin, and no secret."""

import json
from pathlib import Path

import click
import pytest

from claude_openai.cli import run
from claude_openai.cli.commands.config import table
from claude_openai.settings import catalogue, effective
from claude_openai.settings.origins import Effective

KEY = "open-sesame-1003"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('port = 9000\nhost = "127.0.0.2"\n[model_aliases]\ngpt-4o = "sonnet"\n')
    return path


def found(effective_ones: tuple[Effective, ...]) -> dict[str, tuple[object, str, str]]:
    return {each.setting.name: (each.value, each.text, each.origin) for each in effective_ones}


@pytest.mark.proves("commands.config")
def test_each_setting_has_its_value_and_the_place_it_comes_from(file: Path) -> None:
    environ = {
        "CLAUDE_OPENAI_CONFIG": str(file),
        "CLAUDE_OPENAI_HOST": "localhost",
        "CLAUDE_OPENAI_SIMULATE": "1",
        "CLAUDE_OPENAI_LOG": "no",
        "CLAUDE_OPENAI_IDLE_TIMEOUT": "7.5",
    }
    told = found(effective({"port": "9001", "allowed_hosts": ("a.example", "b.example")}, environ))
    assert list(told) == [setting.name for setting in catalogue()]
    assert told["config"] == (str(file), str(file), "CLAUDE_OPENAI_CONFIG")
    assert told["port"] == (9001, "9001", "--port")
    assert told["host"] == (["localhost"], "localhost", "CLAUDE_OPENAI_HOST")
    assert told["simulate"] == (True, "on", "CLAUDE_OPENAI_SIMULATE")
    assert told["log"] == (False, "false", "CLAUDE_OPENAI_LOG")
    assert told["idle_timeout"] == (7.5, "7.5", "CLAUDE_OPENAI_IDLE_TIMEOUT")
    assert told["allowed_hosts"] == (["a.example", "b.example"], "a.example, b.example", "--allowed-host")
    assert told["model_aliases"] == ({"gpt-4o": "sonnet"}, "gpt-4o=sonnet", f"model_aliases in {file}")
    assert told["default_model"] == ("sonnet", "sonnet", "default")
    assert told["claude_command"] == (None, "the Claude Code bundled with the Agent SDK", "default")


@pytest.mark.proves("commands.config")
def test_a_default_that_follows_from_others_is_shown_as_what_it_comes_to() -> None:
    told = found(effective({"max_processes": "8", "request_timeout": "100"}, {}))
    assert told["max_concurrency"] == (7, "7", "default")
    assert told["queue_timeout"] == (50.0, "50", "default")


@pytest.mark.proves("commands.config")
@pytest.mark.parametrize("arguments", [(), ("--json",)])
def test_no_key_is_shown_wherever_it_was_given(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"{KEY}-in-the-file\n")
    keys.chmod(0o644)
    assert run(["config", *arguments, "--api-key-file", str(keys)], {"CLAUDE_OPENAI_API_KEY": KEY}) == 0
    shown = capsys.readouterr()
    assert KEY not in shown.out + shown.err
    assert "[hidden]" in shown.out
    assert str(keys) in shown.out
    assert f"chmod 600 {keys}" in (shown.out if arguments else shown.err)


@pytest.mark.proves("commands.config")
def test_programs_get_values_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config", "--json", "--port", "9001"], {}) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["doubts"] == []
    assert {"name": "port", "value": 9001, "origin": "--port"} in told["settings"]


@pytest.mark.proves("commands.config", "terminal.colours")
def test_what_somebody_has_set_stands_out_on_a_terminal() -> None:
    settings = effective({"port": "9001"}, {})
    coloured = table(settings, colours=True)
    assert click.unstyle(coloured) == table(settings)
    assert [line for line in coloured.splitlines() if "\x1b" in line] == [
        line for line in coloured.splitlines() if "--port" in line
    ]


@pytest.mark.proves("commands.config")
def test_a_wrong_setting_is_told_as_it_would_be_at_a_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["config"], {"CLAUDE_OPENAI_PORT": "http"}) == 2
    assert capsys.readouterr().err == ("claude-openai: CLAUDE_OPENAI_PORT: 'http' is not a port from 0 to 65535\n")
