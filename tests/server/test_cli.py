"""The command line: what it tells, what it refuses, and how it ends. Nothing here starts Claude Code."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click
import pytest
from inline_snapshot import snapshot

import claude_openai
from claude_openai.cli import COMMANDS, exit_code_of, run
from claude_openai.cli.banner import banner
from claude_openai.cli.options import given, server_options
from claude_openai.cli.terminal import wants_colours
from claude_openai.errors import ExitCode, LaunchError, SettingsError
from claude_openai.server.wiring import Ready
from claude_openai.settings import Setting, Settings, catalogue
from tests.patience import PATIENCE_SECONDS
from tests.unit.settings.test_settings import FIELDS, WRITTEN, seen

READY = Ready(
    url="http://127.0.0.1:8000",
    also=(),
    backend="Claude Code 2.1.332",
    model="sonnet",
    needs_key=False,
    login="Claude account",
    login_remedy=None,
    simulated=False,
)


class Ran:
    """What one invocation gave back: its exit code, its data, and what it told the person."""

    def __init__(self, code: int, captured: Any) -> None:
        self.code, self.out, self.err = code, captured.out, captured.err


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def call(*arguments: str, **environ: str) -> Ran:
        return Ran(run(arguments, environ), capsys.readouterr())

    return call


Command = Callable[..., Ran]


# What it tells.


@pytest.mark.proves("settings.help")
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_is_one_screen_with_what_people_use_and_where_the_rest_is(command: Command, flag: str) -> None:
    ran = command(flag)
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert len(ran.out.splitlines()) <= 50
    for option in ("--port PORT", "--host ADDRESS", "--model-alias", "--background", "--simulate", "--help-all"):
        assert f"\n  {option}" in ran.out


@pytest.mark.proves("settings.help")
def test_help_all_lists_every_flag_with_its_variables_and_default(command: Command) -> None:
    ran = command("--help-all")
    text = " ".join(ran.out.split())
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    for setting in catalogue():
        told = f"[env: {', '.join(setting.variables)}; default: {setting.default}]"
        assert f"{setting.flag} {setting.metavar}".rstrip() in text
        assert f"{setting.description} {told}" in text


@pytest.mark.proves("settings.help")
def test_help_shows_no_value_that_is_set(command: Command) -> None:
    ran = command("--help-all", CLAUDE_OPENAI_API_KEY="open-sesame-1001", CLAUDE_OPENAI_HOST="10.9.8.7")
    assert "open-sesame-1001" not in ran.out
    assert "10.9.8.7" not in ran.out


@pytest.mark.proves("commands.words")
def test_the_version_is_told(command: Command) -> None:
    ran = command("--version")
    assert (ran.code, ran.out, ran.err) == (ExitCode.OK, f"claude-openai {claude_openai.__version__}\n", "")


@pytest.mark.proves("settings.help")
@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("--help",), f"Usage: {sys.executable} -m claude_openai [OPTIONS] [COMMAND]"),
        (("status",), "no server of yours runs"),
        (("completion", "bash"), "_claude_openai_completion()"),
    ],
)
def test_the_module_is_the_command_and_what_is_quick_loads_nothing_of_the_server(
    tmp_path: Path, arguments: Sequence[str], begins: str
) -> None:
    ran = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "claude_openai", *arguments],
        env={**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert ran.stdout.startswith(begins)
    slow = (
        r"\b(anyio|asyncio|claude_agent_sdk|http\.client|httpx2|psutil|pydantic|sqlite3|starlette|structlog|uvicorn)$"
    )
    assert re.findall(slow, ran.stderr, re.MULTILINE) == []


@pytest.mark.proves("commands.help")
@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_in_the_help_and_has_a_help_with_examples(command: Command, name: str) -> None:
    assert f"  {name:<10}  {COMMANDS[name]}\n" in command("--help").out
    ran = command(name, "--help")
    assert (ran.code, ran.err) == (ExitCode.OK, "")
    assert ran.out.startswith(f"Usage: claude-openai {name} ")
    assert f"\n    claude-openai {name}" in ran.out


@pytest.mark.proves("commands.help", "start.exit-codes")
def test_help_tells_every_exit_code(command: Command) -> None:
    told = command("--help-all").out.partition("Exit codes:")[2]
    assert re.findall(r"^ +(\d+) +(.+)$", told, re.MULTILINE) == [(str(code.value), code.meaning) for code in ExitCode]


# What it takes.


@pytest.mark.proves("settings.precedence")
@pytest.mark.parametrize("setting", FIELDS, ids=lambda setting: setting.flag)
def test_each_flag_reaches_its_setting_and_beats_its_variable(setting: Setting) -> None:
    text, value = WRITTEN[setting.name]
    taken: dict[str, object] = {}
    parse = click.command()(server_options(lambda **parameters: taken.update(given(parameters))))
    parse.main([setting.flag, text] if setting.metavar else [setting.flag], standalone_mode=False)
    assert list(taken) == [setting.name]
    environ = {} if setting.repeatable else {setting.variables[0]: "wrong"}
    assert seen(Settings.load(taken, environ), setting.name) == value


@pytest.mark.proves("settings.precedence")
def test_a_switch_can_be_turned_off_against_the_environment() -> None:
    taken: dict[str, object] = {}
    parse = click.command()(server_options(lambda **parameters: taken.update(given(parameters))))
    parse.main(["--no-simulate"], standalone_mode=False)
    assert not Settings.load(taken, {"CLAUDE_OPENAI_SIMULATE": "1"}).simulate


@pytest.mark.proves("settings.keys")
def test_repeatable_flags_are_taken_together() -> None:
    taken: dict[str, object] = {}
    parse = click.command()(server_options(lambda **parameters: taken.update(given(parameters))))
    parse.main(["--api-key", "one,two", "--api-key", "three"], standalone_mode=False)
    assert seen(Settings.load(taken, {}), "api_key") == ["one,two", "three"]


# What it refuses.


@pytest.mark.proves("start.refused")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--prt", "1"], "No such option '--prt'. Did you mean '--port'? (see claude-openai --help)"),
        (["--port"], "Option '--port' requires an argument (see claude-openai --help)"),
        (["simulatr"], "No such command 'simulatr'. Did you mean 'simulator'? (see claude-openai --help)"),
        (["--port", "http"], "--port: 'http' is not a port from 0 to 65535"),
        (["--model-alias", "gpt-4o"], "--model-alias: 'gpt-4o' is not NAME=MODEL, such as gpt-4o=sonnet"),
        (["--api-key-file", "/none"], "--api-key-file: cannot read /none: No such file or directory"),
        (["--config", "/none"], "cannot read the settings file /none: No such file or directory"),
        (
            ["--port", "1", "simulator"],
            "the options before 'simulator' are the server's; it has its own (see claude-openai --help)",
        ),
        (["simulator", "--port", "65536"], "Invalid value for '--port': 65536 is not in the range 0<=x<=65535"),
        (
            ["simulator", "--host", "0.0.0.0"],
            "refusing to listen on 0.0.0.0 without a key: give --api-key, or use --host 127.0.0.1",
        ),
    ],
)
def test_a_bad_option_is_one_sentence_and_exit_code_2(command: Command, arguments: list[str], sentence: str) -> None:
    ran = command(*arguments)
    assert (ran.code, ran.out) == (ExitCode.USAGE, "")
    assert ran.err.startswith(f"claude-openai: {sentence}")
    assert ran.err.count("\n") == 1


@pytest.mark.proves("safety.loopback")
def test_an_open_bind_without_a_key_is_refused_with_the_remedies(command: Command) -> None:
    ran = command("--host", "0.0.0.0")
    assert ran.code == ExitCode.USAGE
    assert ran.err == (
        "claude-openai: refusing to listen on 0.0.0.0 without an API key: "
        "set CLAUDE_OPENAI_API_KEY or --api-key-file, or use --host localhost\n"
    )


# How it ends.

SEE_MORE = "(run it with --debug to see where)"


def raising(error: Exception) -> Callable[[], object]:
    def command() -> object:
        raise error

    return command


@pytest.mark.proves("start.exit-codes")
@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            LaunchError("the port is taken", "name another with --port"),
            ExitCode.CANNOT_START,
            "claude-openai: the port is taken (name another with --port)\n",
        ),
        (SettingsError("that is wrong"), ExitCode.USAGE, "claude-openai: that is wrong\n"),
        (
            ExceptionGroup("a", [ExceptionGroup("b", [LaunchError("the port is taken")])]),
            ExitCode.CANNOT_START,
            "claude-openai: the port is taken\n",
        ),
        (click.exceptions.Abort(), ExitCode.INTERRUPTED, ""),
        (
            KeyError("x"),
            ExitCode.FAILED,
            f"claude-openai: ended by an unexpected error: KeyError: 'x' {SEE_MORE}\n",
        ),
        (
            OSError("Bearer open-sesame-1001"),
            ExitCode.FAILED,
            f"claude-openai: ended by an unexpected error: OSError: Bearer [hidden] {SEE_MORE}\n",
        ),
    ],
)
def test_an_error_is_one_sentence_and_its_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: ExitCode, told: str
) -> None:
    assert exit_code_of(raising(error)) == code
    assert capsys.readouterr() == ("", told)


@pytest.mark.proves("start.exit-codes")
def test_a_command_that_returns_ends_with_0() -> None:
    assert exit_code_of(lambda: None) == ExitCode.OK


# The banner.


@pytest.mark.proves("start.banner")
def test_the_banner_tells_where_what_and_who() -> None:
    assert plain(READY) == snapshot(
        """\
claude-openai 0.1.0
  URL      http://127.0.0.1:8000/v1
  Page     http://127.0.0.1:8000/ui/
  Backend  Claude Code 2.1.332
  Model    sonnet
  API key  not needed, only this machine can connect
  Login    Claude account
"""
    )


@pytest.mark.proves("start.banner")
def test_the_banner_tells_every_address() -> None:
    assert plain(changed(also=("http://[::1]:8000", "http://10.0.0.1:8000"))).splitlines()[1:4] == [
        "  URL      http://127.0.0.1:8000/v1",
        "  Also at  http://[::1]:8000/v1",
        "  Also at  http://10.0.0.1:8000/v1",
    ]


@pytest.mark.proves("start.banner")
def test_the_banner_tells_that_a_key_is_needed() -> None:
    assert "  API key  needed\n" in plain(changed(needs_key=True))


@pytest.mark.proves("start.terms")
@pytest.mark.parametrize(
    ("subscribed", "flags", "warned"),
    [
        (True, {}, False),
        (True, {"api_key": ("a-key-1001",)}, False),
        (True, {"api_key": ("a-key-1001", "a-key-1002")}, True),
        (True, {"api_key": ("a-key-1001",), "host": ("0.0.0.0",)}, True),
        (False, {"api_key": ("a-key-1001", "a-key-1002")}, False),
    ],
)
def test_a_subscription_that_serves_others_is_warned_of(subscribed: bool, flags: dict[str, Any], warned: bool) -> None:
    others = Settings.load(flags, {}).serves_others
    shown = banner(changed(is_subscription=subscribed), colours=False, serves_others=others)
    assert ("its buyer's own use" in shown) is warned


@pytest.mark.proves("start.login")
def test_the_banner_gives_the_remedy_where_nobody_is_logged_in() -> None:
    ready = changed(login=None, login_remedy="sign in with `claude-openai claude auth login`")
    assert "  Login    not logged in: sign in with `claude-openai claude auth login`\n" in plain(ready)


@pytest.mark.proves("start.banner")
def test_the_banner_does_not_claim_to_know_an_unknown_login() -> None:
    assert "  Login    not known yet\n" in plain(changed(login=None))


@pytest.mark.proves("simulate.loud")
def test_the_banner_says_loudly_that_answers_are_simulated() -> None:
    assert plain(changed(simulated=True)).splitlines()[1] == (
        "  SIMULATED: a script answers, no model. Leave out --simulate for real answers."
    )
    assert "\x1b[30m\x1b[43m\x1b[1m  SIMULATED" in banner(changed(simulated=True), colours=True)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.proves("start.banner")
@pytest.mark.parametrize(
    ("stream", "environ", "colours"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (StringIO(), {}, False),
    ],
)
def test_colours_are_for_terminals_and_can_be_declined(
    stream: StringIO, environ: dict[str, str], colours: bool
) -> None:
    assert wants_colours(stream, environ) is colours
    assert ("\x1b[" in banner(READY, colours=wants_colours(stream, environ))) is colours


def plain(ready: Ready) -> str:
    return banner(ready, colours=False)


def changed(**fields: Any) -> Ready:
    return Ready(**{**{name: getattr(READY, name) for name in READY.__slots__}, **fields})


# The simulator's command.


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "claude_openai", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.proves("simulator.command")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signal to ask a process to stop")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_simulator_runs_by_itself_tells_its_url_and_stops_when_told(stop: signal.Signals) -> None:
    with started("simulator", "--port", "0") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        body = {"model": "sonnet", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]}
        headers = {"content-type": "application/json", "x-api-key": "any"}
        request = Request(f"{url}/v1/messages", json.dumps(body).encode(), headers)  # noqa: S310 -- our own URL
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- the same
            assert json.load(answer)["role"] == "assistant"
        os.kill(process.pid, stop)
        assert process.communicate(timeout=PATIENCE_SECONDS) == ("", "")
        assert process.returncode == ExitCode.OK


@pytest.mark.proves("start.refused")
def test_a_busy_port_of_the_simulator_is_one_sentence_and_exit_code_3(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # In a context of its own: the event loop that other tests share would count as running here.
        ran = Context().run(command, "simulator", "--port", str(port))
    assert (ran.code, ran.out) == (ExitCode.CANNOT_START, "")
    assert ran.err == (
        f"claude-openai: cannot listen on 127.0.0.1, port {port}: Address already in use "
        "(name another with --port, or any free one with --port 0)\n"
    )
