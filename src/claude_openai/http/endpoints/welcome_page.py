"""The page at `GET /` and `GET /v1`: what this server is and how to use it, for a person who opens its address."""

from html import escape
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

_HTML_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "vary": "accept",
}

_NEXT: Final = {
    "models": "GET {base}/models",
    "health": "GET {root}/health",
    "description": "GET {root}/openapi.json",
    "clients": "claude-openai connect",
    "page": "{root}/ui/",
}


class WelcomePage:
    """JSON; for a browser HTML at `/v1`, and a redirection to the page (`http.page`) at `/`.

    The address is the one that the client used.
    """

    def __init__(self, version: str) -> None:
        self._version = version

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        root = f"{scope['scheme']}://{headers.get('host', '127.0.0.1:8000')}"
        base = f"{root}/v1"
        facts = {
            "name": "claude-openai",
            "version": self._version,
            "about": "An OpenAI-compatible server that is answered by Claude Code.",
            "base_url": base,
            "try": _curl(base),
            **{name: text.format(base=base, root=root) for name, text in _NEXT.items()},
        }
        answer: Response = JSONResponse(facts, headers={"vary": "accept"})
        if "text/html" in headers.get("accept", ""):
            answer = HTMLResponse(_page(facts), headers=_HTML_HEADERS)
            if scope["path"] == "/":
                answer = RedirectResponse("/ui/", 303, {"vary": "accept"})
        await answer(scope, receive, send)


def _curl(base: str) -> str:
    body = '{"model": "sonnet", "messages": [{"role": "user", "content": "Say hello."}]}'
    return f"curl {base}/chat/completions -H 'content-type: application/json' -d '{body}'"


def _page(facts: dict[str, str]) -> str:
    shown = {
        "Base URL": facts["base_url"],
        "API key": "the server's own, if it was started with one; else any",
        "Model": "sonnet, opus, haiku, or another of " + facts["models"],
        "Try it": facts["try"],
        "Set up a client": facts["clients"],
        "Is it well?": facts["health"],
        "The page": facts["page"],
        "Description": facts["description"],
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd><code>{escape(text)}</code></dd>" for name, text in shown.items())
    title = f"{facts['name']} {facts['version']}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<h1>{escape(title)}</h1><p>{escape(facts['about'])}</p><dl>{rows}</dl></html>"
    )
