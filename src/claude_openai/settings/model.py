"""`Settings`: one field for each setting, with its default and its description."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError, model_validator

from claude_openai.errors import SettingsError
from claude_openai.settings import machine
from claude_openai.settings.descriptions import expects
from claude_openai.settings.setting import PREFIX, catalogue
from claude_openai.settings.sources import Found, config_file, read
from claude_openai.settings.values import (
    SHORTEST_NAMED_KEY,
    Addresses,
    AgentMode,
    Aliases,
    BackendName,
    Command,
    Count,
    CountOrAuto,
    DebugSwitch,
    Flag,
    Folder,
    Folders,
    Grace,
    HostNames,
    KeyLine,
    Keyring,
    Keys,
    LogFile,
    LogFormat,
    LogLevel,
    Milliseconds,
    ModelIds,
    ModelName,
    Origins,
    Paths,
    PermissionModes,
    Port,
    Positive,
    Retries,
    Seconds,
    SettingSources,
    Size,
    Spelling,
    StoreKind,
    Switch,
    is_loopback,
    looks_named,
)

NAMED_KEYS: Final = "keys.json"
"""The file of the keys that have been made by a command, in the folder of the run store."""


class Settings(BaseModel):
    """The configuration of the server. `load` reads all sources; the constructor reads no environment and no settings
    file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)

    host: Annotated[Addresses, Spelling(repeatable=True)] = Field(
        ("localhost",),
        description="Address or name to listen on; repeatable. localhost is 127.0.0.1 and, if the machine has it, ::1. "
        "Without an API key only loopback addresses are accepted.",
    )
    port: Annotated[Port, Spelling(also=("PORT",))] = Field(
        8000,
        description="Port to listen on. 0 takes any free one.",
    )
    api_key: Annotated[Keys, Spelling(also=("API_KEY",), repeatable=True)] = Field(
        (),
        description="Key that clients must send; repeatable, and a variable can hold several, separated by commas. "
        "A flag shows in the list of processes: prefer the variable or the key file.",
    )
    api_key_file: Keyring = Field(
        None,
        description="File of API keys, one a line. A line is a key, or name:key; one that begins with # is a comment.",
    )
    default_model: Annotated[ModelName, Spelling(also=("CLAUDE_DEFAULT_MODEL",))] = Field(
        "sonnet",
        description="Model for requests that name none.",
    )
    models_override: Annotated[ModelIds, Spelling(also=("CLAUDE_MODELS_OVERRIDE",))] = Field(
        (),
        description="Model ids to list and accept, separated by commas, in place of Claude Code's own.",
    )
    model_aliases: Annotated[Aliases, Spelling("--model-alias", repeatable=True)] = Field(
        default_factory=dict,
        description="Serve a model under a foreign name, such as gpt-4o=sonnet; repeatable. "
        "In a variable separated by commas, in the file a table.",
    )
    claude_command: Annotated[Command, Spelling(also=("CLAUDE_COMMAND",))] = Field(
        None,
        description="The Claude Code executable, as a path or a name on PATH.",
    )
    backend: BackendName = Field(
        "sdk",
        description="How Claude Code is run: through the Agent SDK, or as the plain claude command, "
        "which supports neither the client's tools nor the agent profile.",
    )
    process_timeout_ms: Milliseconds = Field(
        120_000,
        description="Timeout of one answer of the cli backend.",
    )
    output_dir: Folder = Field(
        "~/.claude-openai/output",
        description="Folder in which the cli backend keeps the output of Claude Code, one folder for each run.",
    )
    default_mode: AgentMode = Field(
        "chat",
        description="Profile of requests that choose none: chat is a faithful model endpoint, agent is Claude Code "
        "with its own tools in a working directory.",
    )
    allowed_working_directory_prefixes: Annotated[
        Folders, Spelling(also=(f"{PREFIX}ALLOWED_WORKING_DIR_PREFIXES",))
    ] = Field(
        (),
        description="Folders, separated by commas, in and below which agents may work, read and write.",
    )
    allowed_permission_modes: PermissionModes = Field(
        ("acceptEdits", "auto", "default", "plan"),
        description="Permission modes, separated by commas, that an agent request may choose.",
    )
    allowed_setting_sources: SettingSources = Field(
        ("user",),
        description="Setting sources of Claude Code, separated by commas, that an agent request may load: user, "
        "project, local. project settings can run commands outside the sandbox.",
    )
    private_paths: Paths = Field(
        (),
        description="Files and folders, separated by commas, that agents may neither read nor write, even in an "
        "allowed folder.",
    )
    strict_parameters: Switch = Field(
        False,
        description="Refuse a request with a 400 that names the parameter, if a parameter would have no effect or be "
        "sent with another value.",
    )
    simulate: Switch = Field(
        False,
        description="Use the built-in simulator in place of the model; no account is needed.",
    )
    max_request_bytes: Size = Field(
        33_554_432,
        description="Maximum size of a request body; a larger one is refused with 413.",
    )
    max_total_request_bytes: Size = Field(
        268_435_456,
        description="Maximum size of the bodies of all running requests together; above it new requests get a 503 with "
        "Retry-After.",
    )
    request_timeout: Seconds = Field(
        600.0,
        description="Timeout of a request, from its arrival to the end of its answer.",
    )
    first_byte_timeout: Seconds = Field(
        120.0,
        description="Timeout until upstream begins to answer, from the moment Claude Code has the request.",
    )
    idle_timeout: Seconds = Field(
        300.0,
        description="Timeout of a silent Claude Code within a request.",
    )
    tool_timeout: Seconds = Field(
        600.0, description="How long a conversation waits for the results of its tool calls, before it must be rebuilt."
    )
    tool_retries: Retries = Field(
        2,
        description="How often the model may correct a tool call that does not fit the tool's schema.",
    )
    session_ttl: Grace = Field(
        300.0,
        description="How long a conversation keeps its Claude Code process after an answer, before it must be rebuilt. "
        "0 keeps none.",
    )
    warm_processes: CountOrAuto = Field(
        "auto",
        description="Claude Code processes that wait, started, for conversations, each with some 130 MB of memory. "
        "auto: as many as started within three seconds in the last ten minutes, one at least, in a quarter of the "
        "available memory and within --max-processes. On Linux they wait for new ones or for a history.",
    )
    max_processes: Annotated[Positive, Spelling(default="by memory, from 3 to 16")] = Field(
        default_factory=machine.default_processes,
        description="Maximum number of Claude Code processes, warm ones included. The least recently used are evicted. "
        "Each has some 200 MB: by default a quarter of the machine's memory, or three quarters of a container's.",
    )
    max_process_turns: Positive = Field(
        100,
        description="Answers after which a process is replaced.",
    )
    max_process_memory: Size = Field(
        500_000_000,
        description="Memory above which a process is replaced after its answer.",
    )
    max_concurrency: Annotated[Positive, Spelling(default="10, or as many as there are processes for")] = Field(
        default_factory=lambda found: machine.default_places(
            found["max_processes"], _fewest_warm(found["warm_processes"])
        ),
        description="Maximum number of concurrent requests; others wait in a queue.",
    )
    max_queue_size: Count = Field(
        100,
        description="Maximum length of the queue; a further request is refused with 429.",
    )
    queue_timeout: Annotated[Seconds, Spelling(default="half of --request-timeout")] = Field(
        default_factory=lambda found: found["request_timeout"] / 2,
        description="Timeout in the queue, which is part of --request-timeout.",
    )
    keep_alive_interval: Seconds = Field(
        15.0,
        description="Interval of the comments that keep a silent stream open.",
    )
    max_retries: Retries = Field(
        2,
        description="How often Claude Code retries after a failure upstream; its waits take 5 seconds at most.",
    )
    shutdown_timeout: Grace = Field(
        10.0,
        description="Time that running requests have to finish when the server is stopped.",
    )
    allowed_hosts: Annotated[HostNames, Spelling("--allowed-host", repeatable=True)] = Field(
        (),
        description="Further host name that clients may send in the Host header; repeatable.",
    )
    allowed_origins: Annotated[Origins, Spelling("--allowed-origin", repeatable=True)] = Field(
        (),
        description="Origin of web pages that may call the server, such as https://chat.example.com; repeatable. "
        "http://localhost:* is any port of a host, vscode-webview://* any page of an app; null needs an API key.",
    )
    data_dir: Folder = Field(
        "~/.claude-openai",
        description="Folder of the run store and of the logs of background servers.",
    )
    store: StoreKind = Field(
        "disk",
        description="Where runs are stored: on disk, or in memory until the server stops.",
    )
    retention_days: Positive = Field(
        30,
        description="Days after which a run is deleted.",
    )
    max_store_bytes: Size = Field(
        500_000_000,
        description="Size on disk above which the oldest runs are deleted.",
    )
    metrics_open: Switch = Field(
        False,
        description="Answer GET /metrics without an API key to programs of this machine, but not through a proxy.",
    )
    log: Flag = Field(
        True,
        description="Whether the server writes a log.",
    )
    log_level: LogLevel = Field(
        "debug",
        description="Level of detail. info logs no contents of requests and answers; debug logs them; trace also logs "
        "every message of Claude Code.",
    )
    log_format: LogFormat = Field(
        "auto",
        description="Form of the log on standard output. console is a line for each request, columns every event, json "
        "a JSON object a line. auto is console on a terminal (columns with --debug, --trace or --log-level, unless "
        "the log goes to a file), else json. A file always has JSON.",
    )
    log_file: LogFile = Field(
        None,
        description="File for the log, in place of standard output.",
    )
    log_max_bytes: Size = Field(
        50_000_000,
        description="Size at which the log file is rotated; three old files are kept.",
    )
    trace: Switch = Field(
        False,
        description="The same as --log-level trace.",
    )
    trace_file: LogFile = Field(
        None,
        description="The same as --log-file.",
    )
    debug: Annotated[DebugSwitch, Spelling(also=("DEBUG",))] = Field(
        False,
        description="Further diagnostics for people on standard error, such as tracebacks.",
    )

    _config_file: Path | None = PrivateAttr(None)

    @property
    def config_file(self) -> Path | None:
        """The settings file that was read, which may contain API keys; None if there was none."""
        return self._config_file

    @property
    def wants_events(self) -> bool:
        """Whether the operator asked for events, and so for more than a line for each request on a terminal."""
        return self.debug or self.trace or "log_level" in self.model_fields_set

    @property
    def serves_others(self) -> bool:
        """Whether the server is for more than its owner: several or named API keys, or an address others can reach."""
        return len(self.api_keys) > 1 or self.named_keys_file.exists() or not all(map(is_loopback, self.host))

    @property
    def configured_keys(self) -> tuple[KeyLine, ...]:
        """The API keys of the settings, from every source, each once."""
        from_file = self.api_key_file.lines if self.api_key_file else ()
        without_name = (KeyLine(key) for key in self.api_key)
        return tuple({line.key: line for line in (*without_name, *from_file)}.values())

    @property
    def api_keys(self) -> tuple[SecretStr, ...]:
        """What clients may send of `configured_keys`."""
        return tuple(line.key for line in self.configured_keys)

    @property
    def named_keys_file(self) -> Path:
        """The file of the keys that `claude-openai keys` has made."""
        return Path(self.data_dir).expanduser() / NAMED_KEYS

    @property
    def needs_key(self) -> bool:
        """Whether clients need a key; else every client that can connect is accepted."""
        return bool(self.configured_keys) or self.named_keys_file.exists()

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Check the rules that concern several settings."""
        open_to_others = [host for host in self.host if not is_loopback(host)]
        if open_to_others and not self.needs_key:
            raise ValueError(
                f"refusing to listen on {', '.join(open_to_others)} without an API key: "
                f"set {PREFIX}API_KEY or --api-key-file, or use --host localhost"
            )
        if "null" in self.allowed_origins and not self.needs_key:
            raise ValueError(
                "refusing --allowed-origin null without an API key, since any web page can have that origin: "
                f"set {PREFIX}API_KEY or --api-key-file"
            )
        needed = self.max_concurrency + self.fewest_warm
        if self.max_processes < needed:
            raise ValueError(
                f"--max-processes {self.max_processes} is too few for {self.max_concurrency} requests at once and "
                f"{self.fewest_warm} waiting processes: use {needed} or more, or lower --max-concurrency or "
                "--warm-processes"
            )
        return self

    @property
    def fewest_warm(self) -> int:
        """The number of processes that should wait at any time."""
        return _fewest_warm(self.warm_processes)

    @classmethod
    def load(cls, flags: Mapping[str, object], environ: Mapping[str, str]) -> Self:
        """The settings from all sources. `flags` has the values of the command line by field name (and `config`).

        Raises:
            SettingsError: a value is wrong, or the settings file cannot be read.
        """
        found = read(catalogue(), flags, environ)
        try:
            settings = cls.model_validate({name: item.value for name, item in found.items()})
        except ValidationError as error:
            raise SettingsError(_message(error, found)) from None
        settings._config_file = config_file(flags, environ)  # noqa: SLF001 -- of this class
        return settings


def doubts(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    """Warnings about settings that are valid but probably not intended, one sentence each."""
    if settings.api_key_file and settings.api_key_file.readable_by_others:
        path = settings.api_key_file.path
        yield f"other users of this machine can read {path}; close it with: chmod 600 {path}"
    if settings.api_key_file and any(map(looks_named, settings.api_key_file.lines)):
        yield (
            f"a line of {settings.api_key_file.path} has fewer than {SHORTEST_NAMED_KEY} characters after its colon: "
            "it is one key, and no name with a key"
        )
    if settings.trace and settings.log_level == "info":
        yield "--trace logs more than --log-level info, and wins"
    if settings.log_file and settings.trace_file and settings.log_file != settings.trace_file:
        yield f"the log goes to {settings.log_file} only, which wins over the trace file {settings.trace_file}"
    known = {variable for setting in catalogue() for variable in setting.variables}
    for variable in sorted(environ):
        if variable.startswith(PREFIX) and variable not in known:
            yield f"{variable} is not a setting{_did_you_mean(variable, known)}"


def _fewest_warm(warm_processes: int | str) -> int:
    return warm_processes if isinstance(warm_processes, int) else 1


def _message(error: ValidationError, found: Mapping[str, Found]) -> str:
    """A sentence about the first error, with its source. Pydantic's messages name Python types and no source."""
    fault = error.errors(include_url=False)[0]
    own_message = str(fault.get("ctx", {}).get("error", ""))
    if not fault["loc"]:
        return own_message
    name = str(fault["loc"][0])
    place = found[name]
    if name not in Settings.model_fields:
        return f"unknown setting {place.origin}{_did_you_mean(name, Settings.model_fields)}"
    if own_message and fault["type"] == "value_error":
        return f"{place.origin}: {own_message}"
    value = "the value" if name == "api_key" else repr(place.value)
    return f"{place.origin}: {value} is not {expects(Settings.model_fields[name]).phrase}"


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
