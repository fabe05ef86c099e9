"""Runs as a server tells them, and requests that make some."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from claude_openai.protocols.runs.wire import RunError, RunObject, RunUsage
from claude_openai.system.instances import Instance
from tests.patience import PATIENCE_SECONDS

NOW = 1_800_000_000.0

USED = RunUsage(
    prompt_tokens=12_345, cached_tokens=0, cache_written_tokens=0, completion_tokens=678, reasoning_tokens=0
)


def a_run(**changed: Any) -> RunObject:
    """One that was answered in a minute, an hour ago."""
    run_id = changed.pop("id", "3fa85f6457174562b3fc2c963f66afa6")
    told: dict[str, Any] = {
        "id": run_id,
        "answer_id": f"chatcmpl-{run_id}",
        "request_id": f"req_{run_id[::-1]}",
        "key": "local",
        "client": "OpenAI/Python 3.54.0",
        "endpoint": "chat",
        "asked_model": "claude-sonnet-5-5",
        "model": "claude-sonnet-5-5",
        "profile": "chat",
        "state": "completed",
        "way": "warm",
        "reason": None,
        "place": 0,
        "arrived_at": NOW - 3600,
        "began_at": NOW - 3599,
        "first_token_at": NOW - 3598,
        "ended_at": NOW - 3539.5,
        "finish_reason": "stop",
        "error": None,
        "usage": USED,
        "cost_usd": 0.0123,
    }
    return RunObject(**{**told, **changed})


FAILED = a_run(
    id="3fa85f6400000000000000000000000f",
    state="failed",
    usage=None,
    cost_usd=None,
    ended_at=NOW - 3598.8,
    error=RunError(code="overloaded", message="Overloaded.\nTry \x1b[31magain."),
)

RUNNING = a_run(
    id="b0000000000000000000000000000001", state="running", arrived_at=NOW - 7, ended_at=None, usage=None, cost_usd=None
)


@contextmanager
def asked(server: Instance, content: str, **more: Any) -> Iterator[HTTPResponse]:
    """A request that is open for as long as the block lasts; its answer has begun."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    request_id = more.pop("request_id", None)
    key = more.pop("key", None)
    headers = {
        "content-type": "application/json",
        **({"x-request-id": request_id} if request_id else {}),
        **({"authorization": f"Bearer {key}"} if key else {}),
    }
    body = {"messages": [{"role": "user", "content": content}], **more}
    try:
        connection.request("POST", "/v1/chat/completions", json.dumps(body), headers)
        yield connection.getresponse()
    finally:
        connection.close()


def answered(server: Instance, content: str, **more: Any) -> str:
    """The whole answer, as text."""
    with asked(server, content, **more) as answer:
        return answer.read().decode()


@contextmanager
def answering(status: str, headers: Mapping[str, str], body: bytes = b"") -> Iterator[tuple[str, list[str]]]:
    """Some other server, which says the same to everybody: its URL, and the paths that it was asked for."""
    paths: list[str] = []
    code, _, reason = status.partition(" ")

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(int(code), reason)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", paths
        finally:
            server.shutdown()
            thread.join()
