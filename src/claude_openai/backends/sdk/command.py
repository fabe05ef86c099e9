"""How Claude Code is started for the chat profile: a faithful model endpoint with nothing of the user's machine in it.

Each option is here for a reason that was measured; the tests show the outcome (no tool offered, no CLAUDE.md, settings,
hooks, MCP servers or environment of the server in what the model sees).
"""

import json
from collections.abc import Mapping
from pathlib import Path

import claude_agent_sdk

from claude_openai.backends.process import Command
from claude_openai.backends.scratch import Scratch
from claude_openai.core.turn import Sampling

CHAT_ENVIRONMENT: Mapping[str, str] = {
    # What the SDK's own transport says of itself.
    "CLAUDE_CODE_ENTRYPOINT": "sdk-py",
    "CLAUDE_AGENT_SDK_VERSION": claude_agent_sdk.__version__,
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # No hidden compaction: each alone made further requests or a local "Prompt is too long".
    "DISABLE_COMPACT": "1",
    "CLAUDE_CODE_MAX_CONTEXT_TOKENS": "10000000",
    # No hidden change of model after a refusal, no second request.
    "CLAUDE_CODE_DISABLE_REFUSAL_FALLBACK": "1",
    "CLAUDE_CODE_DISABLE_REFUSAL_RETRY": "1",
    # A broken stream is not asked for again without streaming: what was already sent would be said twice.
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
}

_CHAT_OPTIONS = (
    "--output-format=stream-json",
    "--input-format=stream-json",
    "--verbose",  # stream-json output asks for it
    "--include-partial-messages",
    "--tools=",
    "--setting-sources=",
    "--strict-mcp-config",
    "--no-session-persistence",
    # The first answer exceeds it, and ends the turn: Claude Code does not ask again by itself after `max_tokens` or an
    # empty answer. An interrupt instead came too late in 10 of 12 tries.
    "--max-budget-usd=0.0000001",
)

_KEY_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


def bundled_cli() -> Path:
    """The Claude Code executable that ships in the SDK's wheel (`SubprocessCLITransport._find_bundled_cli`)."""
    folder = Path(claude_agent_sdk.__file__).parent / "_bundled"
    windows = folder / "claude.exe"
    return windows if windows.exists() else folder / "claude"


def chat_command(
    program: tuple[str, ...],
    login: Mapping[str, str],
    scratch: Scratch,
    *,
    model: str | None,
    sampling: Sampling,
    max_retries: int,
    request_timeout: float,
    prompted: bool = True,
) -> Command:
    """The command line and the whole environment of one Claude Code process, for what lies ready in `scratch`.

    `login` is the part of the server's own environment that Claude Code needs to sign in and reach its API.
    `request_timeout` is in seconds. A system prompt is a file: it has no length limit there and does not show in `ps`.
    Where no prompt follows (`prompted`), the history is answered as it stands.
    """
    argv = [*program, *_CHAT_OPTIONS]
    argv.append(f"--system-prompt-file={scratch.instructions}" if scratch.instructions.exists() else "--system-prompt=")
    if model is not None:
        argv.append(f"--model={model}")
    if sampling.temperature is not None or sampling.top_p is not None:
        argv.append("--thinking=disabled")  # upstream refuses both together
    if scratch.history.exists():
        argv.append(f"--resume={scratch.history}")
    environment = {
        **login,
        **CHAT_ENVIRONMENT,
        **_simple(login),
        **_sampling_environment(sampling),
        **({} if prompted else {"CLAUDE_CODE_RESUME_INTERRUPTED_TURN": "1"}),
        "CLAUDE_CODE_MAX_RETRIES": str(max_retries),
        "API_TIMEOUT_MS": str(round(request_timeout * 1000)),
        **dict.fromkeys(("CLAUDE_CODE_TMPDIR", "TMPDIR", "TEMP", "TMP"), str(scratch.temporary)),
        "PWD": str(scratch.work),
    }
    return Command(tuple(argv), environment, scratch.work, scratch.stderr)


def _simple(login: Mapping[str, str]) -> Mapping[str, str]:
    """Leave out the note on the environment, where that is possible.

    `CLAUDE_CODE_SIMPLE` refuses every login but a key in the environment ("Not logged in"). With the others the note
    stays, and tells of an empty folder.
    """
    return {"CLAUDE_CODE_SIMPLE": "1"} if any(login.get(name) for name in _KEY_VARIABLES) else {}


def _sampling_environment(sampling: Sampling) -> Mapping[str, str]:
    """Sampling parameters only: this variable could replace the whole request, and is not used for that."""
    body = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "stop_sequences": list(sampling.stop) or None,
    }
    given = {name: value for name, value in body.items() if value is not None}
    environment = {"CLAUDE_CODE_EXTRA_BODY": json.dumps(given)} if given else {}
    if sampling.max_tokens is not None:
        environment["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] = str(sampling.max_tokens)
    return environment
