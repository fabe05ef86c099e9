"""Settings: where they come from, which values are refused and how, and what Claude Code gets of the environment."""

import ast
import ipaddress
import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from pydantic import ValidationError

from claude_openai.core.keys import is_name
from claude_openai.errors import ExitCode, SettingsError
from claude_openai.settings import (
    Setting,
    Settings,
    catalogue,
    doubts,
    login_environment,
    login_table,
    machine,
    table,
)
from claude_openai.settings.values import SHORTEST_NAMED_KEY, key_line, looks_named
from tests.repository import ROOT

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=40)

WRITTEN: Mapping[str, tuple[str, Any]] = {
    "host": ("::1", ("::1",)),
    "port": ("9000", 9000),
    "api_key": ("key-one", ["key-one"]),
    "default_model": ("opus", "opus"),
    "models_override": ("claude-a,claude-b", ("claude-a", "claude-b")),
    "model_aliases": ("gpt-4o=sonnet", {"gpt-4o": "sonnet"}),
    "claude_command": ("/opt/claude", "/opt/claude"),
    "backend": ("cli", "cli"),
    "process_timeout_ms": ("1000", 1000),
    "output_dir": ("/var/output", "/var/output"),
    "default_mode": ("agent", "agent"),
    "allowed_working_directory_prefixes": ("/my work, /srv", ("/my work", "/srv")),
    "allowed_permission_modes": ("plan,default", ("plan", "default")),
    "allowed_setting_sources": ("user,project", ("user", "project")),
    "private_paths": (".env, /srv/my keys", (".env", "/srv/my keys")),
    "strict_parameters": ("true", True),
    "simulate": ("true", True),
    "max_request_bytes": ("1024", 1024),
    "max_total_request_bytes": ("2048", 2048),
    "request_timeout": ("1.5", 1.5),
    "first_byte_timeout": ("2.5", 2.5),
    "idle_timeout": ("2", 2.0),
    "tool_timeout": ("4", 4.0),
    "tool_retries": ("1", 1),
    "session_ttl": ("0", 0.0),
    "warm_processes": ("0", 0),
    "max_processes": ("9", 9),
    "max_process_turns": ("5", 5),
    "max_process_memory": ("1000", 1000),
    "max_concurrency": ("3", 3),
    "max_queue_size": ("0", 0),
    "queue_timeout": ("5", 5.0),
    "keep_alive_interval": ("3", 3.0),
    "max_retries": ("0", 0),
    "shutdown_timeout": ("0", 0.0),
    "allowed_hosts": ("Chat.example.com", ("chat.example.com",)),
    "allowed_origins": ("https://chat.example.com/", ("https://chat.example.com",)),
    "data_dir": ("/var/runs", "/var/runs"),
    "store": ("memory", "memory"),
    "retention_days": ("7", 7),
    "max_store_bytes": ("1000", 1000),
    "metrics_open": ("true", True),
    "log": ("off", False),
    "log_level": ("trace", "trace"),
    "log_format": ("json", "json"),
    "log_file": ("/var/log/one.log", "/var/log/one.log"),
    "log_max_bytes": ("1000", 1000),
    "trace": ("1", True),
    "trace_file": ("/var/log/two.log", "/var/log/two.log"),
    "debug": ("yes", True),
}
"""How each setting can be written as text, and what it then is. The two that are read have tests of their own."""

FIELDS = tuple(setting for setting in catalogue() if setting.name in WRITTEN)


def load(flags: Mapping[str, object] | None = None, /, **environ: str) -> Settings:
    return Settings.load(flags or {}, environ)


def refusal(flags: Mapping[str, object] | None = None, /, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(flags, **environ)
    assert caught.value.exit_code is ExitCode.USAGE
    return caught.value.message


def seen(settings: Settings, name: str) -> Any:
    value = getattr(settings, name)
    return [key.get_secret_value() for key in value] if name == "api_key" else value


def file_with(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return path


# Where values come from.


@pytest.mark.proves("settings.precedence")
def test_the_defaults_are_the_ones_documented() -> None:
    assert load({"max_processes": "16"}).model_dump() == snapshot(
        {
            "host": ("localhost",),
            "port": 8000,
            "api_key": (),
            "api_key_file": None,
            "default_model": "sonnet",
            "models_override": (),
            "model_aliases": {},
            "claude_command": None,
            "backend": "sdk",
            "process_timeout_ms": 120000,
            "output_dir": "~/.claude-openai/output",
            "default_mode": "chat",
            "allowed_working_directory_prefixes": (),
            "allowed_permission_modes": ("acceptEdits", "auto", "default", "plan"),
            "allowed_setting_sources": ("user",),
            "private_paths": (),
            "strict_parameters": False,
            "simulate": False,
            "max_request_bytes": 33554432,
            "max_total_request_bytes": 268435456,
            "request_timeout": 600.0,
            "first_byte_timeout": 120.0,
            "idle_timeout": 300.0,
            "tool_timeout": 600.0,
            "tool_retries": 2,
            "session_ttl": 300.0,
            "warm_processes": "auto",
            "max_processes": 16,
            "max_process_turns": 100,
            "max_process_memory": 500000000,
            "max_concurrency": 10,
            "max_queue_size": 100,
            "queue_timeout": 300.0,
            "keep_alive_interval": 15.0,
            "max_retries": 2,
            "shutdown_timeout": 10.0,
            "allowed_hosts": (),
            "allowed_origins": (),
            "data_dir": "~/.claude-openai",
            "store": "disk",
            "retention_days": 30,
            "max_store_bytes": 500000000,
            "metrics_open": False,
            "log": True,
            "log_level": "debug",
            "log_format": "auto",
            "log_file": None,
            "log_max_bytes": 50000000,
            "trace": False,
            "trace_file": None,
            "debug": False,
        }
    )


@pytest.mark.parametrize("flag", [None, 1])
@pytest.mark.parametrize("variable", [None, 2])
@pytest.mark.parametrize("line", [None, 3])
def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(
    tmp_path: Path, flag: int | None, variable: int | None, line: int | None
) -> None:
    config = str(file_with(tmp_path, f"port = {line}" if line else ""))
    flags = {"config": config} | ({"port": str(flag)} if flag else {})
    environ = {"CLAUDE_OPENAI_PORT": str(variable)} if variable else {}
    assert load(flags, **environ).port == (flag or variable or line or 8000)


def test_a_list_replaces_the_one_of_a_lower_place(tmp_path: Path) -> None:
    config = file_with(tmp_path, '[model_aliases]\ngpt-4 = "opus"')
    settings = load({"model_aliases": ("gpt-4o=sonnet",)}, CLAUDE_OPENAI_CONFIG=str(config))
    assert settings.model_aliases == {"gpt-4o": "sonnet"}


@pytest.mark.proves("settings.environment-names")
def test_no_setting_goes_without_its_tests() -> None:
    assert {setting.name for setting in catalogue()} - set(WRITTEN) == {"config", "api_key_file"}


@pytest.mark.proves("settings.environment-names")
@pytest.mark.parametrize(
    ("setting", "variable"),
    [pytest.param(setting, variable, id=variable) for setting in FIELDS for variable in setting.variables],
)
def test_each_setting_is_read_from_each_of_its_variables(setting: Setting, variable: str) -> None:
    text, value = WRITTEN[setting.name]
    assert seen(load(**{variable: text}), setting.name) == value


@pytest.mark.proves("settings.environment-names")
def test_the_variables_that_other_programs_share_are_read_too() -> None:
    assert {variable for setting in catalogue() for variable in setting.variables if "_OPENAI_" not in variable} == {
        "PORT",
        "API_KEY",
        "CLAUDE_DEFAULT_MODEL",
        "CLAUDE_MODELS_OVERRIDE",
        "CLAUDE_COMMAND",
        "DEBUG",
    }


@pytest.mark.proves("settings.environment-names")
def test_every_setting_can_be_written_under_its_own_name_with_our_prefix() -> None:
    assert [s.name for s in catalogue() if f"CLAUDE_OPENAI_{s.name.upper()}" not in s.variables] == []


@pytest.mark.proves("settings.environment-names")
def test_our_own_variable_beats_the_shared_one() -> None:
    assert load(PORT="1", CLAUDE_OPENAI_PORT="2").port == 2


@pytest.mark.proves("settings.environment-names")
def test_an_empty_variable_counts_as_absent() -> None:
    assert load(CLAUDE_OPENAI_PORT="", PORT="3").port == 3


@pytest.mark.proves("settings.environment-names")
@pytest.mark.parametrize(("text", "means"), [("*", True), ("app:*", True), ("1", True), ("0", False), ("no", False)])
def test_debug_is_whatever_is_not_a_no_as_other_programs_share_the_variable(text: str, means: bool) -> None:
    assert load(DEBUG=text).debug is means


def test_settings_cannot_be_changed() -> None:
    settings = load({"model_aliases": ("a=b",)})
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        settings.model_aliases["c"] = "d"  # type: ignore[index]


TOUCHING = ("environ", "environb", "getenv", "getenvb", "putenv", "unsetenv")


def test_the_process_environment_is_read_in_one_place_only() -> None:
    touching = {
        path.relative_to(ROOT / "src/claude_openai").as_posix()
        for path in (ROOT / "src").rglob("*.py")
        if any(
            isinstance(node, ast.Attribute) and ast.unparse(node) in {f"os.{name}" for name in TOUCHING}
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
        )
    }
    assert touching == {"settings/environment.py"}


# The file.


@pytest.mark.proves("settings.file")
@pytest.mark.parametrize("setting", FIELDS, ids=lambda setting: setting.name)
def test_the_file_sets_any_of_them(tmp_path: Path, setting: Setting) -> None:
    text, value = WRITTEN[setting.name]
    config = file_with(tmp_path, f'{setting.name} = "{text}"')
    assert seen(load({"config": str(config)}), setting.name) == value


@pytest.mark.proves("settings.file")
@pytest.mark.parametrize("variable", ["HOME", "USERPROFILE", "XDG_CONFIG_HOME"])
def test_the_usual_file_is_read_where_there_is_one(tmp_path: Path, variable: str) -> None:
    folder = tmp_path / ("" if variable.startswith("XDG") else ".config") / "claude-openai"
    folder.mkdir(parents=True)
    file_with(folder, "port = 9001")
    assert load(**{variable: str(tmp_path)}).port == 9001


@pytest.mark.proves("settings.file")
def test_a_file_that_was_named_takes_the_place_of_the_usual_one(tmp_path: Path) -> None:
    usual = tmp_path / "claude-openai"
    usual.mkdir()
    file_with(usual, "port = 1\nmax_retries = 1")
    settings = load(CLAUDE_OPENAI_CONFIG=str(file_with(tmp_path, "port = 2")), XDG_CONFIG_HOME=str(tmp_path))
    assert (settings.port, settings.max_retries) == (2, 2)


@pytest.mark.proves("settings.file")
def test_without_a_home_there_is_no_usual_file() -> None:
    assert load(XDG_CONFIG_HOME="not/absolute") == load()


@pytest.mark.proves("settings.file")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "unknown setting prot in {path}; did you mean port?"),
        ("config = 'x'", "unknown setting config in {path}"),
        ("port = 'x'", "port in {path}: 'x' is not a port from 0 to 65535"),
        ("host = 5", "host in {path}: 5 is not a list of addresses to listen on"),
        ("model_aliases = 5", "model_aliases in {path}: 5 is not a table of names and models"),
        ("port = ", "the settings file {path} is not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_a_fault_in_the_file_is_named_with_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = file_with(tmp_path, text)
    assert refusal({"config": str(path)}) == sentence.format(path=path)


@pytest.mark.proves("settings.file")
@pytest.mark.parametrize("line", ["port = true", "idle_timeout = false", "max_retries = true"])
def test_a_yes_or_no_is_no_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(line, "utf-8-sig")  # as some editors of Windows write it
    assert refusal({"config": str(path)}).endswith("is not a number")


@pytest.mark.proves("settings.file")
def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    path = tmp_path / "none.toml"
    assert refusal({"config": str(path)}) == f"cannot read the settings file {path}: No such file or directory"


# Keys.


@pytest.mark.parametrize("text", ["one,two", " one,\n two ,"])
def test_a_variable_can_hold_several_keys(text: str) -> None:
    assert seen(load(API_KEY=text), "api_key") == ["one", "two"]


def test_two_words_are_no_two_keys() -> None:
    assert "without white space" in refusal(API_KEY="correct horse")


@pytest.mark.proves("settings.keys")
def test_keys_of_the_key_file_are_accepted_next_to_the_others(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("# ours\nfile-one\n\n  file-two  \nflag-one\n", "utf-8")
    settings = load({"api_key": ("flag-one",), "api_key_file": str(keys)})
    assert [key.get_secret_value() for key in settings.api_keys] == ["flag-one", "file-one", "file-two"]


@pytest.mark.proves("settings.keys")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot read {path}: No such file or directory"),
        (b"# nothing\n\n", "{path} has no API key; write one a line"),
        (b"\xff\xfe", "{path} is not a text file; write one API key a line"),
        (b"two words\n", "an API key travels in a header: use visible ASCII characters without white space"),
        (b"ann:sk-same\nbob:sk-same\n", "{path} gives ann and bob the same key"),
        (b"sk-same\nbob:sk-same\n", "{path} gives a line without a name and bob the same key"),
    ],
)
def test_a_key_file_without_keys_is_refused(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_bytes(content)
    assert refusal({"api_key_file": str(path)}) == "--api-key-file: " + sentence.format(path=path)


@given(st.from_regex(r"[!-~]{1,40}", fullmatch=True), st.from_regex(r"[!-~]{6,9}", fullmatch=True))
@example("local", "secret")
@example("key-1", "secret")
@example("Ann.B_c-9", "a:b:c:d")
def test_a_line_has_a_name_where_the_core_takes_its_beginning_for_one(name: str, key: str) -> None:
    line = key_line(f"{name}:{key}")
    first, _, rest = f"{name}:{key}".partition(":")
    named = is_name(first) and len(rest) >= SHORTEST_NAMED_KEY
    assert (line.name, line.key.get_secret_value()) == ((first, rest) if named else (None, f"{name}:{key}"))
    assert looks_named(line) <= (not named)


@pytest.mark.proves("settings.keys")
def test_a_name_with_too_short_a_key_is_a_doubt(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("ann:12345\nsk-of-nobody\nbob:sk-of-bob\n", "utf-8")
    path.chmod(0o600)
    [doubt] = doubts(load({"api_key_file": str(path)}), {})
    assert "fewer than 6 characters after its colon" in doubt
    assert "ann" not in doubt


@pytest.mark.parametrize("text", [",", "  ", " , "])
def test_a_variable_of_separators_only_does_not_leave_the_server_open(text: str) -> None:
    assert refusal(API_KEY=text) == "API_KEY: there is no API key in it"


@pytest.mark.proves("commands.config")
@given(VISIBLE)
def test_no_representation_shows_a_key(text: str) -> None:
    key = f"~{text}~"  # which cannot be a part of a setting's name
    settings = load({"api_key": (key,)})
    for shown in (
        repr(settings),
        str(settings),
        f"{settings}",
        repr(settings.model_dump()),
        settings.model_dump_json(),
    ):
        assert key not in shown


@pytest.mark.proves("commands.config")
def test_no_refusal_shows_a_key(tmp_path: Path) -> None:
    path = file_with(tmp_path, "api_key = ['fine', 'nöt-ascii']")
    assert refusal({"config": str(path)}).endswith("use visible ASCII characters without white space")
    path = file_with(tmp_path, "api_key = [1234567]")
    assert refusal({"config": str(path)}) == f"api_key in {path}: the value is not an API key"


@pytest.mark.proves("settings.keys")
def test_a_key_file_that_others_can_read_is_a_doubt_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("key", "utf-8")
    path.chmod(0o640)
    assert list(doubts(load({"api_key_file": str(path)}), {})) == [
        f"other users of this machine can read {path}; close it with: chmod 600 {path}"
    ]
    path.chmod(0o600)
    assert list(doubts(load({"api_key_file": str(path)}), {})) == []


@pytest.mark.proves("settings.environment-names")
def test_a_misspelt_variable_is_a_doubt() -> None:
    environ = {"CLAUDE_OPENAI_PROT": "1", "CLAUDE_OPENAI_PORT": "2", "OTHER": "3"}
    assert list(doubts(load(), environ)) == ["CLAUDE_OPENAI_PROT is not a setting; did you mean CLAUDE_OPENAI_PORT?"]


# What is refused.


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "[::]", "192.168.1.5", "example.com", "127.1", "localhost.evil"])
def test_an_address_that_others_can_reach_needs_a_key(host: str) -> None:
    assert refusal({"host": host}) == (
        f"refusing to listen on {host.strip('[]')} without an API key: "
        "set CLAUDE_OPENAI_API_KEY or --api-key-file, or use --host localhost"
    )
    assert load({"host": host}, API_KEY="key").api_keys


def test_settings_made_directly_are_held_to_the_same_rule() -> None:
    with pytest.raises(ValidationError, match="refusing to listen"):
        Settings(host=("localhost", "0.0.0.0"))


@given(st.ip_addresses())
def test_an_address_needs_no_key_only_if_it_is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    try:
        load(CLAUDE_OPENAI_HOST=str(address))
    except SettingsError:
        assert not address.is_loopback
    else:
        assert address.is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost", "LOCALHOST"])
def test_a_loopback_address_needs_no_key(host: str) -> None:
    assert load({"host": host}).host == (host.strip("[]"),)


@pytest.mark.parametrize("hosts", [("127.0.0.1", "10.0.0.1"), ("10.0.0.1", "::1"), ("10.0.0.1",)])
def test_one_address_that_others_can_reach_is_enough_to_need_a_key(hosts: tuple[str, ...]) -> None:
    assert refusal({"host": hosts}).startswith("refusing to listen on 10.0.0.1 without an API key")
    assert refusal({}, CLAUDE_OPENAI_HOST=",".join(hosts)).startswith("refusing to listen on 10.0.0.1 without")
    assert load({"host": hosts}, API_KEY="key").host == hosts


@pytest.mark.parametrize(
    "origin",
    [
        *("*", "*://*", "http://*", "https://*", "http://*:80", "https://*:*", "https://*.example.com", "http*://a"),
        *("app://*.a", "app://a*", "app://*:1", "file://*", "file:///etc", "nothing", "", "/", "//a", "https://"),
        *("https://a/b", "https://u@a", "https://a b", "https://a:b"),
    ],
)
def test_a_pattern_that_a_foreign_web_page_could_fit_is_no_origin(origin: str) -> None:
    with pytest.raises(SettingsError, match="is not an origin"):
        load({"allowed_origins": (origin,), "api_key": ("key",)})


def test_the_origin_that_any_page_can_have_takes_a_key() -> None:
    with pytest.raises(SettingsError, match="--allowed-origin null without an API key"):
        load({"allowed_origins": ("null",)})
    assert load({"allowed_origins": ("null",)}, API_KEY="key").allowed_origins == ("null",)


@pytest.mark.parametrize(
    ("flags", "environ", "sentence"),
    [
        ({"port": "65536"}, {}, "--port: '65536' is not a port from 0 to 65535"),
        ({}, {"PORT": "http"}, "PORT: 'http' is not a port from 0 to 65535"),
        ({"host": ""}, {}, "--host: '' is not a list of addresses to listen on"),
        ({"model_aliases": ("a=b", "gpt-4o")}, {}, "--model-alias: 'gpt-4o' is not NAME=MODEL, such as gpt-4o=sonnet"),
        (
            {},
            {"CLAUDE_OPENAI_MODEL_ALIAS": "=b"},
            "CLAUDE_OPENAI_MODEL_ALIAS: '=b' is not NAME=MODEL, such as gpt-4o=sonnet",
        ),
        ({"request_timeout": "0"}, {}, "--request-timeout: '0' is not a number of seconds above 0"),
        ({"request_timeout": "inf"}, {}, "--request-timeout: 'inf' is not a number of seconds above 0"),
        ({"shutdown_timeout": "-1"}, {}, "--shutdown-timeout: '-1' is not a number of seconds, 0 or more"),
        ({"max_retries": "99"}, {}, "--max-retries: '99' is not a number of retries from 0 to 10"),
        ({"max_request_bytes": "10MB"}, {}, "--max-request-bytes: '10MB' is not a number of bytes above 0"),
        ({"default_model": ""}, {}, "--default-model: '' is not the name of a model"),
        ({"claude_command": ""}, {}, "--claude-command: '' is not a command"),
        ({}, {"CLAUDE_OPENAI_SIMULATE": "maybe"}, "CLAUDE_OPENAI_SIMULATE: 'maybe' is not true or false"),
        ({"log_level": "loud"}, {}, "--log-level: 'loud' is not info, debug or trace"),
        (
            {"allowed_hosts": ("http://a",)},
            {},
            "--allowed-host: 'http://a' is not a host name alone, such as chat.example.com (no scheme, no port)",
        ),
        (
            {"allowed_origins": ("*",)},
            {},
            (
                "--allowed-origin: '*' is not an origin, such as https://chat.example.com, any port of a host "
                "(http://localhost:*) or any page of an app (vscode-webview://*)"
            ),
        ),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_its_place(
    flags: Mapping[str, object], environ: Mapping[str, str], sentence: str
) -> None:
    assert refusal(flags, **environ) == sentence


def test_aliases_are_repeatable_and_a_name_may_hold_anything_but_the_sign() -> None:
    settings = load({"model_aliases": ("gpt-4o=sonnet", " openai/gpt-4.1:mini = claude-haiku-4-5 ")})
    assert settings.model_aliases == {"gpt-4o": "sonnet", "openai/gpt-4.1:mini": "claude-haiku-4-5"}


# What Claude Code gets.

DOCUMENTED = tuple(re.findall(r"`([^`]+)`", login_table()))


@given(
    st.dictionaries(
        st.one_of(
            st.text(st.characters(exclude_characters="=\0"), min_size=1),
            st.from_regex(r"[A-Z]{1,12}(_[A-Z0-9]{1,12}){0,3}", fullmatch=True),
            st.sampled_from([pattern.replace("*", "X") for pattern in DOCUMENTED]),
            st.tuples(st.sampled_from(["", "MY_", "X"]), st.sampled_from(DOCUMENTED), st.sampled_from(["", "S"])).map(
                "".join
            ),
        ),
        st.text(),
    )
)
def test_exactly_the_documented_variables_pass_with_their_values(environ: dict[str, str]) -> None:
    assert login_environment(environ) == {
        name: value
        for name, value in environ.items()
        if any(fnmatchcase(name, pattern) if "*" in pattern else name == pattern for pattern in DOCUMENTED)
    }


@pytest.mark.parametrize(
    "variable",
    [
        *(variable for setting in catalogue() for variable in setting.variables),
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "AZURE_OPENAI_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "GITHUB_TOKEN",
        "DATABASE_URL",
        "SECRET_KEY",
        "NODE_OPTIONS",
        "LD_PRELOAD",
        "PYTHONPATH",
        "CLAUDECODE",
        "CLAUDE_CODE_EXTRA_BODY",
        "CLAUDE_CODE_SIMPLE",
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS",
    ],
)
def test_our_own_settings_and_other_programs_secrets_do_not_pass(variable: str) -> None:
    assert login_environment({variable: "value"}) == {}


@pytest.mark.parametrize(
    "variable",
    [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CONFIG_DIR",
        "CLAUDE_CODE_USE_BEDROCK",
        "AWS_PROFILE",
        "AWS_BEARER_TOKEN_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "ANTHROPIC_VERTEX_PROJECT_ID",
        "CLOUD_ML_REGION",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "GOOGLE_CLOUD_PROJECT",
        "CLAUDE_CODE_USE_FOUNDRY",
        "ANTHROPIC_FOUNDRY_RESOURCE",
        "AZURE_TENANT_ID",
        "AZURE_CLIENT_SECRET",
        "HTTPS_PROXY",
        "no_proxy",
        "NODE_EXTRA_CA_CERTS",
        "SSL_CERT_FILE",
        "HOME",
        "PATH",
        "LC_ALL",
        "SYSTEMROOT",
    ],
)
def test_what_a_login_an_upstream_or_a_proxy_needs_passes(variable: str) -> None:
    assert login_environment({variable: "value"}) == {variable: "value"}


# The documents.


def test_the_table_has_a_line_for_every_setting() -> None:
    flags = re.findall(r"^\| `(--[\w-]+)", table(), re.MULTILINE)
    assert flags == [setting.flag for setting in catalogue()]
    assert all(setting.description.endswith(".") for setting in catalogue())


@pytest.mark.proves("settings.file")
def test_the_documented_file_is_accepted(tmp_path: Path) -> None:
    documented = re.findall(r"```toml\n(.*?)```", (ROOT / "docs/reference/settings.md").read_text("utf-8"), re.DOTALL)
    keys = tmp_path / "keys"
    keys.write_text("key", "utf-8")
    for text in documented:
        assert tomllib.loads(text)["api_key_file"]
        config = file_with(tmp_path, text)
        settings = load({"config": str(config), "api_key_file": str(keys)})
        assert (settings.port, settings.model_aliases["gpt-4.1-mini"]) == (9000, "haiku")
    assert documented


# Defaults that depend on the machine.

GIB = 1 << 30


def machine_with(folder: Path, cgroup: str, **limits: str) -> Path:
    """The files by which the kernel tells of cgroups; `limits` by path, with `__` for a slash."""
    (folder / "proc/self").mkdir(parents=True)
    (folder / "proc/self/cgroup").write_text(cgroup, "ascii")
    for name, text in limits.items():
        path = folder / "sys/fs/cgroup" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n", "ascii")
    return folder


@pytest.mark.proves("processes.bounded")
@pytest.mark.parametrize(
    ("cgroup", "limits", "found"),
    [
        ("0::/\n", {"memory.max": str(GIB)}, [GIB]),
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": str(GIB), "memory.max": str(2 * GIB)}, [GIB, 2 * GIB]),
        ("4:memory:/x\n2:cpu:/\n", {"memory/memory.limit_in_bytes": str(GIB)}, [GIB]),
        ("4:memory:/x\n", {"memory/x/memory.limit_in_bytes": "9223372036854771712"}, []),
        ("0::/\n", {}, []),
    ],
    ids=["a container", "a service below a slice", "version 1", "no limit in version 1", "no limit"],
)
def test_the_limits_on_memory_are_those_of_every_group_above(
    tmp_path: Path, cgroup: str, limits: dict[str, str], found: list[int]
) -> None:
    assert list(machine.limits(machine_with(tmp_path, cgroup, **limits))) == found


@pytest.mark.proves("processes.bounded")
@pytest.mark.parametrize(("limit", "most"), [(GIB // 2, 3), (GIB, 4), (2 * GIB, 8), (None, 16)])
def test_a_container_gets_as_many_processes_as_its_memory_holds(tmp_path: Path, limit: int | None, most: int) -> None:
    root = machine_with(tmp_path, "0::/\n", **({"memory.max": str(limit)} if limit else {}))
    assert machine.default_processes(root) <= most
    assert machine.default_processes(root) == most or machine.default_processes(tmp_path / "nothing") < most


@pytest.mark.proves("processes.bounded", "settings.precedence")
def test_there_is_a_place_for_each_process_up_to_ten_but_for_those_that_wait() -> None:
    assert [load({"max_processes": most}).max_concurrency for most in ("3", "8", "11", "40")] == [2, 7, 10, 10]
    assert load({"max_processes": "3", "warm_processes": "0"}).max_concurrency == 3
    assert load({"max_processes": "5", "warm_processes": "Auto"}) == load({"max_processes": "5"})
    assert load({"request_timeout": "100"}).queue_timeout == 50


@pytest.mark.proves("processes.warm.bursts")
@pytest.mark.parametrize(
    ("cgroup", "files", "available"),
    [
        ("0::/\n", {}, 4096),
        ("0::/a\n", {"a/memory.max": "max", "a/memory.current": "5000"}, 4096),
        ("0::/a\n", {"a/memory.max": "3000", "a/memory.current": "2500"}, 500),
        ("0::/\n", {"memory.max": "3000", "memory.current": "2500", "memory.stat": "anon 1\ninactive_file 700"}, 1200),
        ("0::/\n", {"memory.max": "9000", "memory.current": "10"}, 4096),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "3000", "memory/memory.usage_in_bytes": "2000"}, 1000),
    ],
    ids=["no limit", "unlimited", "a service", "a container", "a limit above the machine", "version 1"],
)
def test_the_available_memory_is_the_machines_or_what_a_limit_leaves(
    tmp_path: Path, cgroup: str, files: dict[str, str], available: int
) -> None:
    root = machine_with(tmp_path, cgroup, **files)
    (root / "proc/meminfo").write_text("MemTotal:  9 kB\nMemAvailable:       4 kB\n", "ascii")
    assert machine.available_memory(root) == available
    (root / "proc/meminfo").unlink()  # as where there is no such file
    assert 0 <= machine.available_memory(root) <= psutil.virtual_memory().total


@pytest.mark.proves("settings.precedence")
def test_a_wrong_value_is_named_and_not_the_defaults_that_follow_from_it() -> None:
    assert refusal({"max_processes": "many"}) == "--max-processes: 'many' is not a number above 0"
    assert refusal({"request_timeout": "long"}) == "--request-timeout: 'long' is not a number of seconds above 0"
