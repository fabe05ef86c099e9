"""The whole way once, without an account: the real server, the real Claude Code, a stock OpenAI client.

Starts `claude-openai --simulate` as anyone would, streams one answer from it and stops it. Only the model is simulated.
Nothing of the caller's login or settings is read, every wait is bounded, and no process and no file is left behind.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import openai
import psutil

from claude_openai.testing.environment import simulated_login

PROMPT = (
    'Say hello. [[sim text="Hello! I came token by token: from a simulated model, through the real Claude Code '
    'and this server, to a stock OpenAI client." pieces=40 delay=0.03]]'
)
"""In the brackets stands what the simulated model says, and how fast."""

NOWHERE = "http://127.0.0.1:9"
"""Port 9 of this machine answers nobody: no upstream but the server's own simulator is within reach."""

START_SECONDS = 60
"""One or two are usual; a cold disk first has to read the 200 MB of Claude Code."""

ANSWER_SECONDS = 60
STOP_SECONDS = 30


class DemoError(Exception):
    """Why it failed, in a sentence."""


def main() -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as with Ctrl-C: what was started is stopped
    try:
        with tempfile.TemporaryDirectory(prefix="claude-openai-demo-") as folder:
            demonstrate(Path(folder))
    except (DemoError, openai.OpenAIError, httpx2.HTTPError, psutil.Error) as error:
        print(f"\nThe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # by the shell's convention: 128 and the signal's number
    return 0


def demonstrate(folder: Path) -> None:
    with running_server(folder) as (server, url):
        health = httpx2.get(f"{url}/health", timeout=ANSWER_SECONDS, trust_env=False).raise_for_status().json()
        claude_code = f"Claude Code {health['backend']['version']}"
        print(f"Ready: {url}/v1, answered by {claude_code}.\n\n> {PROMPT}\n")
        processes = stream_answer(f"{url}/v1", server)
    ensure_ended(processes)
    ours = f"claude-openai {health['version']}, openai {openai.__version__}"
    print(f"Real       {claude_code} and its Agent SDK, {ours}; only the model was simulated")
    print(f"Stopped    {len(processes)} processes were at work, none is left")


@contextmanager
def running_server(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The installed command as a process, and its URL; it is stopped after the block."""
    options = ["--simulate", "--port", "0"]
    print("$ claude-openai", *options, flush=True)
    log = folder / "server.log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            [installed_command(), *options, "--log-format", "json"],
            env=simulated_login(NOWHERE, folder, os.environ),
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        yield psutil.Process(server.pid), announced_url(server, log)
    finally:
        stop(server)


def installed_command() -> str:
    command = shutil.which("claude-openai", path=sysconfig.get_path("scripts"))
    if command is None:
        raise DemoError("claude-openai is not installed for this Python; `make demo` sees to that")
    return command


def announced_url(server: subprocess.Popen[bytes], log: Path) -> str:
    """What the server says once it answers requests."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"event": "server.ready"' in line:
                return str(json.loads(line)["url"])
        time.sleep(0.05)
    raise DemoError(f"the server did not start:\n{log.read_text(encoding='utf-8')}")


def stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(STOP_SECONDS)
        raise DemoError(f"the server had not stopped after {STOP_SECONDS} s") from None


def stream_answer(base_url: str, server: psutil.Process) -> list[psutil.Process]:
    """Print an answer as it comes, and what it used. Gives back the processes that were seen at work."""
    client = openai.OpenAI(
        base_url=base_url,
        api_key="none",
        timeout=ANSWER_SECONDS,
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False),  # the caller's proxy cannot reach this machine
    )
    processes = [server]
    chunk = None
    with (
        client,
        client.chat.completions.create(
            model="sonnet",
            messages=[{"role": "user", "content": PROMPT}],
            stream=True,
            stream_options={"include_usage": True},
        ) as stream,
    ):
        for chunk in stream:
            for choice in chunk.choices:
                print(choice.delta.content or "", end="", flush=True)
            processes += [child for child in server.children(recursive=True) if child not in processes]
    if chunk is None or chunk.usage is None:
        raise DemoError("the answer ended without usage")
    used = chunk.usage
    print(f"\n\nModel      {chunk.model}")
    print(f"Usage      {used.prompt_tokens} prompt + {used.completion_tokens} completion = {used.total_tokens} tokens")
    return processes


def ensure_ended(processes: list[psutil.Process]) -> None:
    _, left = psutil.wait_procs(processes, timeout=STOP_SECONDS)
    for process in left:
        process.kill()
    if left:
        raise DemoError(f"processes were left behind: {', '.join(str(process.pid) for process in left)}")


if __name__ == "__main__":
    sys.exit(main())
