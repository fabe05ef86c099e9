"""The catalogue of all settings, which the command line and the documents list.

The fields of `Settings` define them. What follows from the fields is generated into this file, since pydantic, which the
fields need, would take most of the time of `--help` and of a command's options. `make docs` writes it, and
`make check` fails where it is stale.
"""
# ruff: noqa: E501, ERA001 -- a generated table, a line for each setting

from dataclasses import dataclass
from typing import Final

PREFIX: Final = "CLAUDE_OPENAI_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of `--help` and of the tables. A switch has no metavar, and the first of several variables wins.

    `derived`: the default depends on the machine or on other settings, and `default` describes it.
    """

    name: str
    flag: str
    variables: tuple[str, ...]
    metavar: str
    repeatable: bool
    default: str
    description: str
    derived: bool = False

    @property
    def negated_flag(self) -> str:
        """The flag that turns a switch off."""
        return f"--no-{self.flag.removeprefix('--')}"


CONFIG: Final = Setting(
    name="config",
    flag="--config",
    variables=(f"{PREFIX}CONFIG",),
    metavar="FILE",
    repeatable=False,
    default="~/.config/claude-openai/config.toml, if it is there",
    description="TOML file with settings, under the names of the table in docs/reference/settings.md.",
)
"""The only setting that is not a field: it names the file that the fields are read from."""

# fmt: off
_FIELDS: Final = (
    # [[[cog
    # from claude_openai.settings.descriptions import described
    # from claude_openai.settings.model import Settings
    # for setting in described(Settings.model_fields):
    #     cog.outl(f"{setting!r},")
    # ]]]
    Setting(name='host', flag='--host', variables=('CLAUDE_OPENAI_HOST',), metavar='ADDRESS', repeatable=True, default='localhost', description='Address or name to listen on; repeatable. localhost is 127.0.0.1 and, if the machine has it, ::1. Without an API key only loopback addresses are accepted.', derived=False),
    Setting(name='port', flag='--port', variables=('CLAUDE_OPENAI_PORT', 'PORT'), metavar='PORT', repeatable=False, default='8000', description='Port to listen on. 0 takes any free one.', derived=False),
    Setting(name='api_key', flag='--api-key', variables=('CLAUDE_OPENAI_API_KEY', 'API_KEY'), metavar='KEY', repeatable=True, default='none', description='Key that clients must send; repeatable, and a variable can hold several, separated by commas. A flag shows in the list of processes: prefer the variable or the key file.', derived=False),
    Setting(name='api_key_file', flag='--api-key-file', variables=('CLAUDE_OPENAI_API_KEY_FILE',), metavar='FILE', repeatable=False, default='none', description='File of API keys, one a line. A line is a key, or name:key; one that begins with # is a comment.', derived=False),
    Setting(name='default_model', flag='--default-model', variables=('CLAUDE_OPENAI_DEFAULT_MODEL', 'CLAUDE_DEFAULT_MODEL'), metavar='MODEL', repeatable=False, default='sonnet', description='Model for requests that name none.', derived=False),
    Setting(name='models_override', flag='--models-override', variables=('CLAUDE_OPENAI_MODELS_OVERRIDE', 'CLAUDE_MODELS_OVERRIDE'), metavar='ID,...', repeatable=False, default='the models that Claude Code lists', description="Model ids to list and accept, separated by commas, in place of Claude Code's own.", derived=False),
    Setting(name='model_aliases', flag='--model-alias', variables=('CLAUDE_OPENAI_MODEL_ALIAS', 'CLAUDE_OPENAI_MODEL_ALIASES'), metavar='NAME=MODEL', repeatable=True, default='none', description='Serve a model under a foreign name, such as gpt-4o=sonnet; repeatable. In a variable separated by commas, in the file a table.', derived=False),
    Setting(name='claude_command', flag='--claude-command', variables=('CLAUDE_OPENAI_CLAUDE_COMMAND', 'CLAUDE_COMMAND'), metavar='COMMAND', repeatable=False, default='the Claude Code bundled with the Agent SDK', description='The Claude Code executable, as a path or a name on PATH.', derived=False),
    Setting(name='backend', flag='--backend', variables=('CLAUDE_OPENAI_BACKEND',), metavar='sdk|cli', repeatable=False, default='sdk', description="How Claude Code is run: through the Agent SDK, or as the plain claude command, which supports neither the client's tools nor the agent profile.", derived=False),
    Setting(name='process_timeout_ms', flag='--process-timeout-ms', variables=('CLAUDE_OPENAI_PROCESS_TIMEOUT_MS',), metavar='MS', repeatable=False, default='120000 ms', description='Timeout of one answer of the cli backend.', derived=False),
    Setting(name='output_dir', flag='--output-dir', variables=('CLAUDE_OPENAI_OUTPUT_DIR',), metavar='FOLDER', repeatable=False, default='~/.claude-openai/output', description='Folder in which the cli backend keeps the output of Claude Code, one folder for each run.', derived=False),
    Setting(name='default_mode', flag='--default-mode', variables=('CLAUDE_OPENAI_DEFAULT_MODE',), metavar='chat|agent', repeatable=False, default='chat', description='Profile of requests that choose none: chat is a faithful model endpoint, agent is Claude Code with its own tools in a working directory.', derived=False),
    Setting(name='allowed_working_directory_prefixes', flag='--allowed-working-directory-prefixes', variables=('CLAUDE_OPENAI_ALLOWED_WORKING_DIRECTORY_PREFIXES', 'CLAUDE_OPENAI_ALLOWED_WORKING_DIR_PREFIXES'), metavar='FOLDER,...', repeatable=False, default='the folder the server was started in', description='Folders, separated by commas, in and below which agents may work, read and write.', derived=False),
    Setting(name='allowed_permission_modes', flag='--allowed-permission-modes', variables=('CLAUDE_OPENAI_ALLOWED_PERMISSION_MODES',), metavar='MODE,...', repeatable=False, default='acceptEdits,auto,default,plan', description='Permission modes, separated by commas, that an agent request may choose.', derived=False),
    Setting(name='allowed_setting_sources', flag='--allowed-setting-sources', variables=('CLAUDE_OPENAI_ALLOWED_SETTING_SOURCES',), metavar='SOURCE,...', repeatable=False, default='user', description='Setting sources of Claude Code, separated by commas, that an agent request may load: user, project, local. project settings can run commands outside the sandbox.', derived=False),
    Setting(name='private_paths', flag='--private-paths', variables=('CLAUDE_OPENAI_PRIVATE_PATHS',), metavar='PATH,...', repeatable=False, default='none', description='Files and folders, separated by commas, that agents may neither read nor write, even in an allowed folder.', derived=False),
    Setting(name='strict_parameters', flag='--strict-parameters', variables=('CLAUDE_OPENAI_STRICT_PARAMETERS',), metavar='', repeatable=False, default='off', description='Refuse a request with a 400 that names the parameter, if a parameter would have no effect or be sent with another value.', derived=False),
    Setting(name='simulate', flag='--simulate', variables=('CLAUDE_OPENAI_SIMULATE',), metavar='', repeatable=False, default='off', description='Use the built-in simulator in place of the model; no account is needed.', derived=False),
    Setting(name='max_request_bytes', flag='--max-request-bytes', variables=('CLAUDE_OPENAI_MAX_REQUEST_BYTES',), metavar='BYTES', repeatable=False, default='33554432 bytes', description='Maximum size of a request body; a larger one is refused with 413.', derived=False),
    Setting(name='max_total_request_bytes', flag='--max-total-request-bytes', variables=('CLAUDE_OPENAI_MAX_TOTAL_REQUEST_BYTES',), metavar='BYTES', repeatable=False, default='268435456 bytes', description='Maximum size of the bodies of all running requests together; above it new requests get a 503 with Retry-After.', derived=False),
    Setting(name='request_timeout', flag='--request-timeout', variables=('CLAUDE_OPENAI_REQUEST_TIMEOUT',), metavar='SECONDS', repeatable=False, default='600 seconds', description='Timeout of a request, from its arrival to the end of its answer.', derived=False),
    Setting(name='first_byte_timeout', flag='--first-byte-timeout', variables=('CLAUDE_OPENAI_FIRST_BYTE_TIMEOUT',), metavar='SECONDS', repeatable=False, default='120 seconds', description='Timeout until upstream begins to answer, from the moment Claude Code has the request.', derived=False),
    Setting(name='idle_timeout', flag='--idle-timeout', variables=('CLAUDE_OPENAI_IDLE_TIMEOUT',), metavar='SECONDS', repeatable=False, default='300 seconds', description='Timeout of a silent Claude Code within a request.', derived=False),
    Setting(name='tool_timeout', flag='--tool-timeout', variables=('CLAUDE_OPENAI_TOOL_TIMEOUT',), metavar='SECONDS', repeatable=False, default='600 seconds', description='How long a conversation waits for the results of its tool calls, before it must be rebuilt.', derived=False),
    Setting(name='tool_retries', flag='--tool-retries', variables=('CLAUDE_OPENAI_TOOL_RETRIES',), metavar='COUNT', repeatable=False, default='2 retries', description="How often the model may correct a tool call that does not fit the tool's schema.", derived=False),
    Setting(name='session_ttl', flag='--session-ttl', variables=('CLAUDE_OPENAI_SESSION_TTL',), metavar='SECONDS', repeatable=False, default='300 seconds', description='How long a conversation keeps its Claude Code process after an answer, before it must be rebuilt. 0 keeps none.', derived=False),
    Setting(name='warm_processes', flag='--warm-processes', variables=('CLAUDE_OPENAI_WARM_PROCESSES',), metavar='COUNT|auto', repeatable=False, default='auto', description='Claude Code processes that wait, started, for conversations, each with some 130 MB of memory. auto: as many as started within three seconds in the last ten minutes, one at least, in a quarter of the available memory and within --max-processes. On Linux they wait for new ones or for a history.', derived=False),
    Setting(name='max_processes', flag='--max-processes', variables=('CLAUDE_OPENAI_MAX_PROCESSES',), metavar='COUNT', repeatable=False, default='by memory, from 3 to 16', description="Maximum number of Claude Code processes, warm ones included. The least recently used are evicted. Each has some 200 MB: by default a quarter of the machine's memory, or three quarters of a container's.", derived=True),
    Setting(name='max_process_turns', flag='--max-process-turns', variables=('CLAUDE_OPENAI_MAX_PROCESS_TURNS',), metavar='COUNT', repeatable=False, default='100', description='Answers after which a process is replaced.', derived=False),
    Setting(name='max_process_memory', flag='--max-process-memory', variables=('CLAUDE_OPENAI_MAX_PROCESS_MEMORY',), metavar='BYTES', repeatable=False, default='500000000 bytes', description='Memory above which a process is replaced after its answer.', derived=False),
    Setting(name='max_concurrency', flag='--max-concurrency', variables=('CLAUDE_OPENAI_MAX_CONCURRENCY',), metavar='COUNT', repeatable=False, default='10, or as many as there are processes for', description='Maximum number of concurrent requests; others wait in a queue.', derived=True),
    Setting(name='max_queue_size', flag='--max-queue-size', variables=('CLAUDE_OPENAI_MAX_QUEUE_SIZE',), metavar='COUNT', repeatable=False, default='100', description='Maximum length of the queue; a further request is refused with 429.', derived=False),
    Setting(name='queue_timeout', flag='--queue-timeout', variables=('CLAUDE_OPENAI_QUEUE_TIMEOUT',), metavar='SECONDS', repeatable=False, default='half of --request-timeout', description='Timeout in the queue, which is part of --request-timeout.', derived=True),
    Setting(name='keep_alive_interval', flag='--keep-alive-interval', variables=('CLAUDE_OPENAI_KEEP_ALIVE_INTERVAL',), metavar='SECONDS', repeatable=False, default='15 seconds', description='Interval of the comments that keep a silent stream open.', derived=False),
    Setting(name='max_retries', flag='--max-retries', variables=('CLAUDE_OPENAI_MAX_RETRIES',), metavar='COUNT', repeatable=False, default='2 retries', description='How often Claude Code retries after a failure upstream; its waits take 5 seconds at most.', derived=False),
    Setting(name='shutdown_timeout', flag='--shutdown-timeout', variables=('CLAUDE_OPENAI_SHUTDOWN_TIMEOUT',), metavar='SECONDS', repeatable=False, default='10 seconds', description='Time that running requests have to finish when the server is stopped.', derived=False),
    Setting(name='allowed_hosts', flag='--allowed-host', variables=('CLAUDE_OPENAI_ALLOWED_HOST', 'CLAUDE_OPENAI_ALLOWED_HOSTS'), metavar='NAME', repeatable=True, default='none', description='Further host name that clients may send in the Host header; repeatable.', derived=False),
    Setting(name='allowed_origins', flag='--allowed-origin', variables=('CLAUDE_OPENAI_ALLOWED_ORIGIN', 'CLAUDE_OPENAI_ALLOWED_ORIGINS'), metavar='ORIGIN', repeatable=True, default='none', description='Origin of web pages that may call the server, such as https://chat.example.com; repeatable. http://localhost:* is any port of a host, vscode-webview://* any page of an app; null needs an API key.', derived=False),
    Setting(name='data_dir', flag='--data-dir', variables=('CLAUDE_OPENAI_DATA_DIR',), metavar='FOLDER', repeatable=False, default='~/.claude-openai', description='Folder of the run store and of the logs of background servers.', derived=False),
    Setting(name='store', flag='--store', variables=('CLAUDE_OPENAI_STORE',), metavar='disk|memory', repeatable=False, default='disk', description='Where runs are stored: on disk, or in memory until the server stops.', derived=False),
    Setting(name='retention_days', flag='--retention-days', variables=('CLAUDE_OPENAI_RETENTION_DAYS',), metavar='COUNT', repeatable=False, default='30', description='Days after which a run is deleted.', derived=False),
    Setting(name='max_store_bytes', flag='--max-store-bytes', variables=('CLAUDE_OPENAI_MAX_STORE_BYTES',), metavar='BYTES', repeatable=False, default='500000000 bytes', description='Size on disk above which the oldest runs are deleted.', derived=False),
    Setting(name='metrics_open', flag='--metrics-open', variables=('CLAUDE_OPENAI_METRICS_OPEN',), metavar='', repeatable=False, default='off', description='Answer GET /metrics without an API key to programs of this machine, but not through a proxy.', derived=False),
    Setting(name='log', flag='--log', variables=('CLAUDE_OPENAI_LOG',), metavar='true|false', repeatable=False, default='true', description='Whether the server writes a log.', derived=False),
    Setting(name='log_level', flag='--log-level', variables=('CLAUDE_OPENAI_LOG_LEVEL',), metavar='info|debug|trace', repeatable=False, default='debug', description='Level of detail. info logs no contents of requests and answers; debug logs them; trace also logs every message of Claude Code.', derived=False),
    Setting(name='log_format', flag='--log-format', variables=('CLAUDE_OPENAI_LOG_FORMAT',), metavar='auto|console|columns|json', repeatable=False, default='auto', description='Form of the log on standard output. console is a line for each request, columns every event, json a JSON object a line. auto is console on a terminal (columns with --debug, --trace or --log-level, unless the log goes to a file), else json. A file always has JSON.', derived=False),
    Setting(name='log_file', flag='--log-file', variables=('CLAUDE_OPENAI_LOG_FILE',), metavar='FILE', repeatable=False, default='none', description='File for the log, in place of standard output.', derived=False),
    Setting(name='log_max_bytes', flag='--log-max-bytes', variables=('CLAUDE_OPENAI_LOG_MAX_BYTES',), metavar='BYTES', repeatable=False, default='50000000 bytes', description='Size at which the log file is rotated; three old files are kept.', derived=False),
    Setting(name='trace', flag='--trace', variables=('CLAUDE_OPENAI_TRACE',), metavar='', repeatable=False, default='off', description='The same as --log-level trace.', derived=False),
    Setting(name='trace_file', flag='--trace-file', variables=('CLAUDE_OPENAI_TRACE_FILE',), metavar='FILE', repeatable=False, default='none', description='The same as --log-file.', derived=False),
    Setting(name='debug', flag='--debug', variables=('CLAUDE_OPENAI_DEBUG', 'DEBUG'), metavar='', repeatable=False, default='off', description='Further diagnostics for people on standard error, such as tracebacks.', derived=False),
    # [[[end]]]
)
# fmt: on


def catalogue() -> tuple[Setting, ...]:
    """All settings: `--config`, which is not a field, and the fields."""
    return (CONFIG, *_FIELDS)
