"""The lines that the original's README has, typed as they stand there: the claude-openai for Node.

Options, variables and their values are read by `claude-openai config`; what is asked over HTTP is asked of a server
with a simulated model. docs/reference/compatibility.md has a row for each name.
"""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from claude_openai.cli import run
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT
from tests.server.cli.typed import Machine, until

PAGE = ROOT / "docs" / "reference" / "compatibility.md"

KEY = "dev-local-key"

LINES: dict[str, dict[str, object]] = {
    "--port 8000": {"port": 8000},
    "--port 8000 --api-key dev-local-key": {"port": 8000, "api_key": ["[hidden]"]},
    "--host 127.0.0.1 --port 8000 --api-key dev-local-key --backend sdk --default-model sonnet": {
        "host": ["127.0.0.1"],
        "port": 8000,
        "backend": "sdk",
        "default_model": "sonnet",
    },
    "--debug --log true --log-level debug --log-file claude-openai.log.ndjson": {
        "debug": True,
        "log": True,
        "log_level": "debug",
        "log_file": "claude-openai.log.ndjson",
    },
    "--trace true --trace-file claude-openai.trace.ndjson": {
        "trace": True,
        "trace_file": "claude-openai.trace.ndjson",
    },
    "--claude-command claude --allowed-working-directory-prefixes /Users/me/project,/tmp"
    " --allowed-permission-modes acceptEdits,auto,default,plan --max-concurrency 4 --max-queue-size 100"
    " --process-timeout-ms 300000 --max-request-bytes 10485760": {
        "claude_command": "claude",
        "allowed_working_directory_prefixes": ["/Users/me/project", "/tmp"],
        "allowed_permission_modes": ["acceptEdits", "auto", "default", "plan"],
        "max_concurrency": 4,
        "max_queue_size": 100,
        "process_timeout_ms": 300000,
        "max_request_bytes": 10485760,
    },
    "--backend sdk": {"backend": "sdk"},
    "--backend cli": {"backend": "cli"},
    "--log-file ./claude-openai.log.ndjson": {"log_file": "./claude-openai.log.ndjson"},
    "--log-level info --log-file ./claude-openai.log.ndjson": {"log_level": "info"},
    "--log true --log-level debug --log-file ./claude-openai.log.ndjson": {"log": True, "log_level": "debug"},
    "--log true --log-level trace --log-file ./claude-openai.trace.ndjson": {"log": True, "log_level": "trace"},
    "--log false": {"log": False},
}
"""The options of each line, and the settings that they make."""

SWITCHES: dict[str, dict[str, object]] = {
    "--debug": {"debug": True, "trace": False},
    "--debug true": {"debug": True},
    "--debug TRUE --trace": {"debug": True, "trace": True},
    "--debug false": {"debug": False},
    "--debug=true": {"debug": True},
    "--debug=false --trace=true": {"debug": False, "trace": True},
    "--no-debug": {"debug": False},
    "--trace true --debug false --trace false": {"debug": False, "trace": False},
    "--debug --trace --log false": {"debug": True, "trace": True, "log": False},
}

VARIABLES: dict[str, tuple[str, str, object]] = {
    "CLAUDE_OPENAI_HOST": ("host", "127.0.0.1", ["127.0.0.1"]),
    "CLAUDE_OPENAI_PORT": ("port", "8001", 8001),
    "PORT": ("port", "8002", 8002),
    "CLAUDE_OPENAI_API_KEY": ("api_key", KEY, ["[hidden]"]),
    "API_KEY": ("api_key", KEY, ["[hidden]"]),
    "CLAUDE_OPENAI_BACKEND": ("backend", "cli", "cli"),
    "CLAUDE_OPENAI_CLAUDE_COMMAND": ("claude_command", "claude", "claude"),
    "CLAUDE_COMMAND": ("claude_command", "claude", "claude"),
    "CLAUDE_OPENAI_DEFAULT_MODEL": ("default_model", "opus", "opus"),
    "CLAUDE_DEFAULT_MODEL": ("default_model", "opus", "opus"),
    "CLAUDE_MODELS_OVERRIDE": ("models_override", "sonnet,opus", ["sonnet", "opus"]),
    "CLAUDE_OPENAI_ALLOWED_PERMISSION_MODES": ("allowed_permission_modes", "default,plan", ["default", "plan"]),
    "CLAUDE_OPENAI_ALLOWED_WORKING_DIR_PREFIXES": ("allowed_working_directory_prefixes", "/a,/b", ["/a", "/b"]),
    "CLAUDE_OPENAI_MAX_CONCURRENCY": ("max_concurrency", "2", 2),
    "CLAUDE_OPENAI_MAX_QUEUE_SIZE": ("max_queue_size", "10", 10),
    "CLAUDE_OPENAI_PROCESS_TIMEOUT_MS": ("process_timeout_ms", "120000", 120000),
    "CLAUDE_OPENAI_OUTPUT_DIR": ("output_dir", "~/.claude-openai/output", "~/.claude-openai/output"),
    "CLAUDE_OPENAI_LOG": ("log", "off", False),
    "CLAUDE_OPENAI_LOG_LEVEL": ("log_level", "trace", "trace"),
    "CLAUDE_OPENAI_LOG_FILE": ("log_file", "claude-openai.log.ndjson", "claude-openai.log.ndjson"),
    "CLAUDE_OPENAI_TRACE": ("trace", "true", True),
    "CLAUDE_OPENAI_TRACE_FILE": ("trace_file", "trace.ndjson", "trace.ndjson"),
    "CLAUDE_OPENAI_DEBUG": ("debug", "1", True),
    "DEBUG": ("debug", "app:*", True),
}
"""Each variable of its table: the setting, a value, and what the setting is then."""

EVENTS = (
    "server.start",
    "http.request",
    "openai.request",
    "openai.effective_request",
    "adapter.claude_args",
    "sdk.message",
    "sdk.structured_tool_call",
    "sdk.can_use_tool",
    "openai.response",
    "openai.stream_tool_calls",
    "sdk.error",
)

TOOL = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "description": "Look up an order by id",
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
    },
}

BODIES: dict[str, dict[str, object]] = {
    "hello": {
        "model": "claude-sonnet",
        "messages": [{"role": "user", "content": "Say hello in one sentence."}],
    },
    "stream": {
        "model": "claude-sonnet",
        "stream": True,
        "messages": [{"role": "user", "content": "Count to three."}],
    },
    "tools": {
        "model": "claude-sonnet",
        "messages": [{"role": "user", "content": "Look up order 123."}],
        "tools": [TOOL],
    },
}


Settings = Callable[..., dict[str, object]]


@pytest.fixture
def settings_of(capsys: pytest.CaptureFixture[str]) -> Settings:
    """Reads the settings of a command line, in this process as it starts nothing."""

    def read(*options: str, **variables: str) -> dict[str, object]:
        code = run(["config", "--json", *options], variables)
        shown = capsys.readouterr()
        assert (code, shown.err) == (0, ""), shown
        return {each["name"]: each["value"] for each in json.loads(shown.out)["settings"]}

    return read


@pytest.mark.proves("commands.original")
@pytest.mark.parametrize("line", [*LINES, *SWITCHES])
def test_each_line_of_options_makes_the_settings_that_it_says(settings_of: Settings, line: str) -> None:
    wanted = {**LINES, **SWITCHES}[line]
    assert wanted.items() <= settings_of(*shlex.split(line)).items()


@pytest.mark.proves("commands.original")
@pytest.mark.parametrize("variable", VARIABLES)
def test_each_variable_makes_the_setting_that_it_says(settings_of: Settings, variable: str) -> None:
    setting, value, wanted = VARIABLES[variable]
    assert settings_of(**{variable: value})[setting] == wanted


@pytest.mark.proves("commands.original")
@pytest.mark.parametrize("value", ["false", "0", "no", "off"])
def test_the_log_is_off_by_each_of_its_words(settings_of: Settings, value: str) -> None:
    assert settings_of(CLAUDE_OPENAI_LOG=value)["log"] is False


@pytest.mark.proves("commands.words")
@pytest.mark.parametrize("options", [["--debug"], ["--debug", "true"], ["--debug=false"], ["--trace", "false"]])
def test_a_switch_takes_no_command_as_its_value(tmp_path: Path, options: list[str]) -> None:
    ran = Machine.at(tmp_path).types(*options, "status")
    assert ran.code == 2
    assert "the options before 'status' are the server's" in ran.err


@pytest.mark.proves("commands.words")
def test_a_switch_with_another_value_is_refused(tmp_path: Path) -> None:
    ran = Machine.at(tmp_path).types("config", "--trace=maybe")
    assert ran.code == 2
    assert "--trace: 'maybe' is not true or false" in ran.err


@pytest.mark.proves("commands.words")
def test_the_value_of_another_option_is_no_switch(settings_of: Settings) -> None:
    assert settings_of("--log-file", "--trace", "--trace-file", "true")["log_file"] == "--trace"


# Over HTTP, as its `curl` lines do.


@pytest.fixture(scope="module")
def url(machine: Machine) -> Iterator[str]:
    """A server in the background, started by its line; the port is free, and the model simulated."""
    line = "--background --api-key dev-local-key --debug true --log true --log-level trace"
    ran = machine.types(*shlex.split(line), "--simulate", "--port", "0")
    assert ran.code == 0, ran
    told = machine.types("status", "--json")
    assert told.code == 0
    yield json.loads(told.out)["servers"][0]["url"]
    assert machine.types("stop").code == 0
    assert machine.types("status").code == 1


def asked(url: str, body: dict[str, object] | None = None) -> str:
    request = Request(  # noqa: S310 -- our own URL
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {KEY}"},
    )
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- our own URL
        return str(answer.read().decode())


@pytest.mark.proves("commands.original")
def test_its_endpoints_and_examples_are_answered(url: str) -> None:
    assert json.loads(asked(f"{url}/health"))["ready"]
    assert json.loads(asked(f"{url}/v1/models"))["object"] == "list"
    whole = json.loads(asked(f"{url}/v1/chat/completions", BODIES["hello"]))
    assert whole["choices"][0]["message"]["content"]
    pieces = asked(f"{url}/v1/chat/completions", BODIES["stream"])
    assert pieces.startswith("data: ")
    assert pieces.endswith("data: [DONE]\n\n")
    called = json.loads(asked(f"{url}/v1/chat/completions", BODIES["tools"]))
    assert called["choices"][0]["message"]


@pytest.mark.proves("commands.original")
def test_runs_tail_and_cancel_work_as_typed(machine: Machine, url: str) -> None:
    asked(f"{url}/v1/chat/completions", BODIES["hello"])
    listed = json.loads(machine.types("runs", "--json").out)
    assert listed
    assert machine.types("runs").code == 0
    shown = machine.types("tail", listed[0]["id"])
    assert (shown.code, bool(shown.out)) == (0, True)
    cancelled = machine.types("cancel", listed[0]["id"])
    assert "completed" in cancelled.out + cancelled.err


@pytest.mark.proves("commands.original")
def test_its_log_has_its_events_in_the_file(machine: Machine, url: str) -> None:
    asked(f"{url}/v1/chat/completions", BODIES["hello"])
    log = Path(json.loads(machine.types("status", "--json").out)["servers"][0]["log_file"])

    def names() -> set[str]:
        lines = log.read_text(encoding="utf-8").splitlines()
        return {json.loads(line)["event"] for line in lines if line.endswith("}")}

    always = {*EVENTS[:5], "sdk.message", "openai.response"}
    until(lambda: always <= names())


@pytest.mark.proves("project.docs.names")
def test_the_page_has_a_row_for_each_flag_variable_and_event() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    flags = {word for line in LINES for word in line.split() if word.startswith("--")} | {"--background"}
    named = {name for row in rows for name in row.split(" | ")[0].replace("`", "").strip("| ").split(", ")}
    assert {*flags, *VARIABLES, *EVENTS} <= {name.split()[0] for name in named}
    assert {row.split(" | ")[1] for row in rows} <= {"same", "differs", "missing"}
