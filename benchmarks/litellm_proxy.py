"""LiteLLM's proxy, which asks the Messages API without a Claude Code, from an environment of its own that
`litellm/requirements.txt` pins: what people run instead.
"""

import json
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
import httpx2
import openai
import psutil

from benchmarks.asking import ANSWER_SECONDS
from benchmarks.model import MODEL
from benchmarks.server import START_SECONDS, Server
from claude_openai.claude_code.processes.child import Command, child_process, dying_with_parent
from clients.environments import environment, pinned

FOLDER: Final = Path(__file__).parent / "litellm"

VERSION: Final = pinned(FOLDER, "litellm")

_ENVIRONMENT: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # it fetches its table of prices at each start otherwise
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",  # no key, as our server has none here
}


POLL_SECONDS: Final = 0.02
"""How finely its start is known: a question takes some milliseconds of processor, which it needs itself."""


@asynccontextmanager
async def running_litellm(login: Mapping[str, str], folder: Path) -> AsyncIterator[Server]:
    """Start the proxy with the upstream of `login`, wait until it answers requests, stop it after the block.

    Raises:
        ChildProcessError: it ended.
        clients.environments.NotInstallableError: its environment cannot be made here.
        TimeoutError: it did not start.
    """
    program = environment(FOLDER).programs / "litellm"
    config, port = folder / "litellm.yaml", _free_port()
    upstream = {"model": f"anthropic/{MODEL}", "api_base": login["ANTHROPIC_BASE_URL"], "api_key": "any"}
    config.write_text(json.dumps({"model_list": [{"model_name": MODEL, "litellm_params": upstream}]}))  # JSON is YAML
    shell = ("/bin/sh", "-c", f'exec "$0" "$@" > {folder / "litellm.log"}')  # nobody reads its pipe
    argv = dying_with_parent(
        (*shell, str(program), "--config", str(config), "--host", "127.0.0.1", "--port", str(port))
    )
    url, begin = f"http://127.0.0.1:{port}", time.perf_counter()
    command = Command(argv, {**login, **_ENVIRONMENT}, folder, folder / "litellm.err")
    async with (
        child_process(command) as child,
        httpx2.AsyncClient(base_url=url, timeout=ANSWER_SECONDS) as http,
        openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client,
    ):
        with anyio.fail_after(START_SECONDS):
            while not await _answers(http):
                if not child.is_running:
                    raise ChildProcessError(f"LiteLLM's proxy did not start: {child.stderr_tail()}")
                await anyio.sleep(POLL_SECONDS)
        yield Server(url, time.perf_counter() - begin, psutil.Process(child.pid), http, client)


async def _answers(http: httpx2.AsyncClient) -> bool:
    try:
        return (await http.get("/health/liveliness")).is_success
    except httpx2.TransportError:
        return False


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
