"""The page below `/ui` as HTML: who gets it, what it shows without JavaScript, and what no page of others can do."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape

import httpx2
import pytest

from claude_openai.core.events import TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.keys import OWNER, Identity, KeyOwner, Keys, StoredKey, digest_of
from claude_openai.core.messages import ToolCall
from claude_openai.core.runs import Run, RunState
from claude_openai.http.page.app import HEADERS, MOST_ROWS
from claude_openai.http.page.logins import MOST_LOGINS, Logins
from claude_openai.http.page.reasons import REASONS as EXPLAINED
from claude_openai.logs.request_lines import REASONS
from claude_openai.simulator import Gate
from claude_openai.store import MemoryStore
from claude_openai.system.login_codes import VALID_SECONDS, new_code
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, HELLO, STARTED, STREAMED, Served, said

KEY, OTHER = "sk-first", "sk-second"
PLANTED = "<script>alert(1)</script>\u202e<img src=x onerror=alert(2)>"
RUN = Run("", "chatcmpl-1", "req_1", "local", "curl/8", "sonnet", RunState.COMPLETED, 0.0, ended_at=1.0)
BROWSER = {"accept": "text/html,*/*"}


def own(served: Served) -> dict[str, str]:
    """The headers of a form of the page itself."""
    url = served.client.base_url
    return {"origin": f"{url.scheme}://{url.host}:{url.port}", "sec-fetch-site": "same-origin"}


async def log_in(served: Served, key: str = KEY, **form: str) -> httpx2.Response:
    return await served.client.post("/ui/login", data={"key": key, **form}, headers=own(served))


@pytest.fixture
def kept(serve: Serve) -> Iterator[Served]:
    """A server with two keys; the client forgets its cookies afterwards, since other tests use it too."""
    served = serve(said("One."), said("Two."), said("Three."), keys=(KEY, OTHER), owner_token="owner")
    yield served
    served.client.cookies.clear()


@pytest.mark.proves("page.views")
async def test_a_browser_is_shown_the_page_and_its_files(serve: Serve) -> None:
    served = serve(said("Hello."))
    await served.chat()
    redirection = await served.client.get("/", headers=BROWSER)
    assert (redirection.status_code, redirection.headers["location"]) == (303, "/ui/")
    for path in ("/ui/", "/ui/runs", "/ui/stats", "/ui/try", "/ui/setup"):
        view = await served.client.get(path)
        assert view.status_code == 200
        assert view.headers["cache-control"] == "no-store"
        assert {name: view.headers[name] for name in HEADERS} == HEADERS
        assert not re.search(r"<script(?! type=\"module\" src=\"/ui/static/)|<style| style=| on[a-z]+=", view.text)
    for address in re.findall(r"\"(/ui/static/[^\"]+)\"", view.text):
        asset = await served.client.get(address)
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
    missing = await served.client.get("/ui/static/1/../app.py")
    assert missing.status_code == 404


@pytest.mark.proves("page.views")
async def test_what_fails_is_a_page_too(serve: Serve) -> None:
    served = serve(description=Failure(Kind.CLAUDE_CODE_FAILED, "Claude Code does not start."))
    failed = await served.client.get("/ui/try")
    assert failed.status_code >= 500
    assert failed.headers["content-type"] == "text/html; charset=utf-8"
    assert "Claude Code does not start." in failed.text
    assert "not ready" in (await served.client.get("/ui/")).text


@pytest.mark.proves("page.views")
async def test_a_run_is_listed_and_shown_whole(serve: Serve) -> None:
    call = ToolCall("call_1", "look", '{"at":"the sky"}')
    served = serve([STARTED, TextDelta("Let me see."), ToolCalled(call), TurnFinished("tool_calls")])
    run = (await served.chat()).json()["id"].removeprefix("chatcmpl-")
    listed = await served.client.get("/ui/runs")
    assert f'href="/ui/runs/{run}"' in listed.text
    shown = unescape((await served.client.get(f"/ui/runs/{run}")).text)
    assert "Let me see." in shown
    assert '"at": "the sky"' in shown
    gone = await served.client.get("/ui/runs/nothing")
    assert gone.status_code == 404
    assert "There is no run nothing" in gone.text


@pytest.mark.proves("page.search")
async def test_runs_are_searched_in_the_language_of_the_api_and_a_wrong_term_is_named(serve: Serve) -> None:
    served = serve(said("The sky is blue."), said("Grass is green."))
    for client in ("curl/8", "codex/1"):
        await served.chat(user_agent=client)

    async def found(query: str) -> str:
        answer = await served.client.get("/ui/runs", params={"q": query})
        assert answer.status_code == 200
        return unescape(answer.text)

    assert ("The sky is blue." in await found("@curl"), "Grass" in await found("@curl")) == (True, False)
    wrong = await found("durration:>5s grass")
    assert "Did you mean `duration:`?" in wrong
    assert "Shown without durration:>5s" in re.sub(r"</?code>", "", wrong)
    assert "Grass is green." in wrong
    assert 'value="durration:>5s grass"' in wrong
    none = re.sub(r"<[^>]+>", "", await found("sky @codex"))
    assert "No run matches. sky alone finds some; @codex alone finds some." in none
    assert "claude-openai runs 'sky @curl'" in await found("sky @curl")
    for term, expected in (("mod", "model:"), ("state:fa", "state:failed"), ("@co", "@codex"), ("-wa", "-way:")):
        suggested = (await served.client.get("/ui/suggest", params={"term": term})).json()
        assert expected in [each["text"] for each in suggested]


@pytest.mark.proves("page.views")
async def test_the_sums_of_what_was_answered_are_shown_by_what_is_asked_for(serve: Serve) -> None:
    served = serve(said("One."), said("Two."))
    for client in ("curl/8", "codex/1"):
        await served.chat(user_agent=client)
    for query in ("", "?over=7d&by=client", "?over=nonsense&by=nonsense"):
        shown = unescape((await served.client.get(f"/ui/stats{query}")).text)
        assert "$0.5000" in shown
        assert ("codex" in shown) == ("client" in query)


@pytest.mark.proves("page.views")
async def test_a_rebuilt_run_says_first_why_and_what_to_do(serve: Serve) -> None:
    store = MemoryStore()
    served = serve(store=store)
    store.save(replace(RUN, id="1" * 32, session_start="rebuilt", reason="instructions", asked_model="gpt-4o"))
    shown = re.sub(r"<[^>]+>", "", (await served.client.get(f"/ui/runs/{'1' * 32}")).text)
    assert "No process had this history: the system prompt differs from that of the turn before." in shown
    assert "(asked: gpt-4o)" in shown


@pytest.mark.proves("page.views")
def test_every_reason_has_a_sentence_and_a_remedy() -> None:
    assert set(EXPLAINED) == set(REASONS)


@pytest.mark.proves("page.login")
async def test_a_key_without_a_name_is_shown_and_suggested_by_its_beginning(kept: Served) -> None:
    await kept.client.post(CHAT, json=HELLO, headers={"authorization": f"Bearer {KEY}"})
    await log_in(kept)
    digest = digest_of(KEY).hex()
    for path in ("/ui/stats?by=key", "/ui/suggest?term=key:", "/ui/runs", "/ui/"):
        text = (await kept.client.get(path)).text
        assert digest not in text
        assert (digest[:8] in text) == ("key" in path)


@pytest.mark.proves("page.search")
async def test_older_runs_are_a_page_away(serve: Serve) -> None:
    store = MemoryStore()
    served = serve(store=store)
    for number in range(MOST_ROWS + 3):
        store.save(replace(RUN, id=f"{number:032x}", arrived_at=float(number)))
    first = (await served.client.get("/ui/runs")).text
    assert first.count("<tr ") + first.count("<tr>") == MOST_ROWS + 1
    [older] = re.findall(r'href="(/ui/runs\?q=&amp;after=[0-9a-f]+)"', first)
    second = (await served.client.get(unescape(older))).text
    assert [f'id="run-{number:032x}"' in second for number in (0, 1, 2, 3)] == [True, True, True, False]


@pytest.mark.proves("page.escaped")
async def test_what_others_wrote_is_shown_and_never_run(serve: Serve) -> None:
    call = ToolCall("call_1", PLANTED, json.dumps({PLANTED: PLANTED}))
    failed = TurnFailed(Failure(Kind.INVALID_REQUEST, PLANTED))
    served = serve([STARTED, TextDelta(PLANTED), ToolCalled(call), TurnFinished("tool_calls")], [STARTED, failed])
    plain = PLANTED.replace("\u202e", "")
    first = (await served.chat(user_agent=plain)).json()["id"].removeprefix("chatcmpl-")
    await served.chat({**HELLO, "model": "sonnet"}, user_agent=plain)
    for path in ("/ui/", "/ui/runs", f"/ui/runs/{first}", f"/ui/runs/{plain.replace('/', '%2F')}"):
        text = (await served.client.get(path)).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\u202e" not in text
    assert "&lt;U+202E&gt;" in (await served.client.get(f"/ui/runs/{first}")).text


@pytest.mark.proves("page.cancel")
async def test_a_run_is_cancelled_by_a_plain_form(serve: Serve) -> None:
    gate = Gate()
    served = serve([STARTED, TextDelta("So"), gate])
    async with served.stream(STREAMED) as response:
        lines = response.aiter_lines()
        while "So" not in await anext(lines):
            pass
        [run] = await served.runs("?state=running")
        view = (await served.client.get("/ui/")).text
        assert f'action="/ui/runs/{run["id"]}/cancel"' in view
        for headers in ({}, {"origin": "http://127.0.0.1:1"}, own(served) | {"sec-fetch-site": "same-site"}):
            refused = await served.client.post(f"/ui/runs/{run['id']}/cancel", headers=headers)
            assert refused.status_code == 403
        cancelled = await served.client.post(f"/ui/runs/{run['id']}/cancel", headers=own(served))
        assert (cancelled.status_code, cancelled.headers["location"]) == (303, f"/ui/runs/{run['id']}")
        assert "run_cancelled" in "".join([line async for line in lines])
    assert (await served.runs())[0]["state"] == "cancelled"


@pytest.mark.proves("page.login")
async def test_a_key_logs_in_and_its_cookie_is_good_for_the_page_alone(kept: Served) -> None:
    asked = await kept.client.get("/ui/runs?state=failed", headers=BROWSER)
    assert (asked.status_code, asked.headers["location"]) == (303, "/ui/login?next=%2Fui%2Fruns%3Fstate%3Dfailed")
    form = await kept.client.get(asked.headers["location"])
    assert 'name="next" value="/ui/runs?state=failed"' in form.text
    entered = await log_in(kept, next="/ui/runs?state=failed")
    assert (entered.status_code, entered.headers["location"]) == (303, "/ui/runs?state=failed")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"claude_openai_{kept.client.base_url.port}=")
    assert {"HttpOnly", "Path=/ui/", "SameSite=strict"} <= set(cookie.split("; "))
    assert KEY not in cookie
    assert (await kept.client.get("/ui/runs")).status_code == 200
    token = {"cookie": cookie.partition(";")[0]}
    for path in ("/v1/models", "/runs"):
        assert (await kept.client.get(path, headers=token)).status_code == 401
    through = await kept.client.post("/ui/api/v1/chat/completions", json=HELLO, headers=own(kept))
    assert through.json()["choices"][0]["message"]["content"] == "One."
    foreign = await kept.client.post(
        "/ui/api/v1/chat/completions", json=HELLO, headers={"origin": "http://localhost:1"}
    )
    assert foreign.status_code == 403
    left = await kept.client.post("/ui/logout", headers=own(kept))
    assert left.status_code == 303
    assert (await kept.client.get("/ui/runs", headers=token)).status_code == 303
    assert (await kept.client.get("/ui/api/runs", headers=token)).status_code == 401


@pytest.mark.proves("page.login")
async def test_a_wrong_key_and_a_way_out_of_the_page_are_refused(kept: Served) -> None:
    wrong = await log_in(kept, "sk-wrong", next="/ui/runs")
    assert wrong.status_code == 401
    assert "no such key" in wrong.text
    assert "set-cookie" not in wrong.headers
    for path in ("https://example.org/", "//example.org", "/ui/\\example.org", "/ui/\n/x", "/v1"):
        assert (await log_in(kept, next=path)).headers["location"] == "/ui/"
    large = await kept.client.post("/ui/login", content=b"key=" + b"x" * 10_000, headers=own(kept))
    assert large.status_code == 413


@pytest.mark.proves("page.login")
async def test_each_key_sees_its_own_runs_and_the_owner_all(kept: Served) -> None:
    runs = []
    for key in (KEY, OTHER):
        answer = await kept.client.post(CHAT, json=HELLO, headers={"authorization": f"Bearer {key}"})
        runs.append(answer.json()["id"].removeprefix("chatcmpl-"))
    await log_in(kept, OTHER)
    listed = (await kept.client.get("/ui/runs")).text
    assert (runs[0] in listed, runs[1] in listed) == (False, True)
    assert (await kept.client.get(f"/ui/runs/{runs[0]}")).status_code == 404
    kept.client.cookies.clear()
    code = new_code("owner", time.time())
    entered = await kept.client.get(f"/ui/login?code={code}")
    assert (entered.status_code, entered.headers["location"]) == (303, "/ui/")
    listed = (await kept.client.get("/ui/runs")).text
    assert runs[0] in listed
    assert runs[1] in listed
    kept.client.cookies.clear()
    again = await kept.client.get(f"/ui/login?code={code}")
    assert "was used already" in again.text


@pytest.mark.proves("page.login")
def test_a_code_is_good_once_for_a_minute_and_of_this_servers_owner_only() -> None:
    now = 1_000_000.0
    logins = Logins(Keys(), "owner", now=lambda: now)
    for code in (
        new_code("another", now),
        new_code("owner", now - VALID_SECONDS - 2),
        new_code("owner", now)[:-1],
        new_code("owner", now).replace("1000000", "1000001"),
        "",
        "..",
        "9" * 1000,
    ):
        assert logins.log_in_owner(code) is None
    token = logins.log_in_owner(code := new_code("owner", now))
    assert token
    assert logins.identity(token) == Identity(OWNER)
    assert logins.log_in_owner(code) is None
    assert Logins(Keys(), now=lambda: now).log_in_owner(new_code("owner", now)) is None


@pytest.mark.proves("page.login")
def test_a_login_ends_by_time_by_too_many_others_and_with_its_key() -> None:
    now, names = 0.0, {"ada": KeyOwner("ada", (StoredKey(digest_of("sk-ada"), 0.0),))}
    logins = Logins(Keys(stored=lambda: names), clock=lambda: now)

    def log_in() -> str:
        token = logins.log_in("sk-ada")
        assert token
        assert logins.identity(token) == Identity("ada", "ada")
        return token

    assert logins.log_in("sk-eve") is None
    first = log_in()
    now = 13 * 3600.0
    assert logins.identity(first) is None
    second = log_in()
    for _ in range(MOST_LOGINS):
        third = log_in()
    assert logins.identity(second) is None
    names = {}
    assert logins.identity(third) is None
