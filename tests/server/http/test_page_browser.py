"""The page in a real browser: Debian's Chromium, on a server over the scripted backend.

Where there is no browser the tests are skipped, and say so; `.ci/run` installs one. No message on the browser's console
is allowed in any test: what the content security policy blocks is one.
"""

import json
import os
import shutil
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
import psutil
import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, Page, async_playwright, expect

from claude_openai.core.events import TextDelta, ToolCalled, TurnFailed, TurnFinished
from claude_openai.core.failures import Failure, Kind
from claude_openai.core.messages import ToolCall
from claude_openai.simulator import Gate
from claude_openai.testing.scripted_backend import Step
from tests.patience import PATIENCE_SECONDS
from tests.processes import is_browsers
from tests.server.http.conftest import Serve
from tests.server.http.exchange import CHAT, FINISHED, HELLO, STARTED, STREAMED, USED, Served, said

CHROMIUM: Final = shutil.which("chromium")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser: apt-get install --no-install-recommends chromium")

ROOT: Final = Path(__file__).parents[3]
VIEWS: Final = ("/ui/", "/ui/runs", "/ui/stats", "/ui/try", "/ui/setup")
PLANTED: Final = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"
PATCH: Final = ToolCall("call_2", "apply_patch", '{"patch":"*** Begin Patch"}')
PARKED: Final = TurnFinished("tool_calls")
CALL: Final = ToolCall("call_1", "look", '{"at":"the sky"}')


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])  # for root
        yield browser
        await browser.close()
    own = filter(is_browsers, psutil.Process().children(recursive=True))
    _, alive = await anyio.to_thread.run_sync(partial(psutil.wait_procs, list(own), timeout=PATIENCE_SECONDS))
    assert alive == []


@asynccontextmanager
async def opened(browser: Browser, served: Served, path: str = "/ui/", **context: Any) -> AsyncIterator[Page]:
    """A page of `served`, in a browser of its own cookies. Nothing may stand on its console in the end."""
    messages: list[str] = []
    own = await browser.new_context(base_url=str(served.client.base_url), **context)
    own.set_default_timeout(PATIENCE_SECONDS * 1000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    try:
        page = await own.new_page()
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        await page.goto(path)
        yield page
    finally:
        await own.close()
    assert messages == []


async def arrived(page: Page, heading: str) -> None:
    """Wait until the view with this heading is there, and its scripts have run: keys before that are nobody's."""
    await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    await page.wait_for_load_state()


@pytest.mark.proves("page.live")
async def test_a_run_appears_by_itself_streams_and_is_cancelled(browser: Browser, serve: Serve) -> None:
    gate, last = Gate(), Gate()
    served = serve([STARTED, TextDelta("The sky "), gate, TextDelta("is blue"), last, USED, FINISHED])
    async with opened(browser, served) as page, opened(browser, served, "/ui/runs") as listed:
        await expect(page.get_by_text("Nothing has been asked yet")).to_be_visible()
        async with served.stream(STREAMED) as response:
            for each in (page, listed):
                await expect(each.locator("tr.live .what bdi")).to_have_text("The sky")
            gate.open()
            for each in (page, listed):
                await expect(each.locator("tr.live .what bdi")).to_have_text("The sky is blue")
            await listed.locator("tr.live a").click()
            await expect(listed.locator("#answer-text")).to_have_text("The sky is blue")
            await listed.get_by_role("button", name="Cancel").click()
            await expect(listed.locator("#state")).to_have_text("cancelled")
            await response.aread()
        await expect(page.locator("tr.live")).to_have_count(0)
        await expect(page.get_by_text("No request is being answered")).to_be_visible()


@pytest.mark.proves("page.escaped")
async def test_planted_script_is_text(browser: Browser, serve: Serve) -> None:
    call = ToolCall("call_1", PLANTED, json.dumps({PLANTED: PLANTED}))
    served = serve([STARTED, TextDelta(PLANTED), ToolCalled(call), TurnFinished("tool_calls")], said(PLANTED))
    await served.chat(user_agent=PLANTED)
    async with opened(browser, served, "/ui/runs") as page:
        await expect(page.locator("table.runs .what")).to_contain_text("<script>")
        await page.locator("table.runs a").click()
        await expect(page.locator("#answer-text")).to_have_text(PLANTED)
        await expect(page.locator(".pane h3")).to_contain_text("<script>")
        await page.goto("/ui/try")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#try-answer")).to_have_text(PLANTED)
        assert await page.title() == "Try it · claude-openai"
        assert await page.locator("img").count() == 0


@pytest.mark.proves("page.login")
async def test_a_person_logs_in_works_and_logs_out(browser: Browser, serve: Serve) -> None:
    served = serve(said("Hel", "lo."), keys=("sk-one",))
    async with opened(browser, served, "/ui/try") as page:
        await page.get_by_label("API key of this server").fill("sk-one")
        await page.get_by_role("button", name="Log in").click()
        await arrived(page, "Try it")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("#try-answer")).to_have_text("Hello.")
        await expect(page.locator("#try-state")).to_contain_text("20 tokens in (7 cached), 5 out")
        await page.get_by_role("link", name="Runs").click()
        await expect(page.locator("table.runs tbody tr")).to_have_count(1)
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("API key of this server")).to_be_visible()
        await page.goto("/ui/runs")
        await expect(page).to_have_url(f"{served.client.base_url}/ui/login?next=%2Fui%2Fruns")


@pytest.mark.proves("page.keyboard")
async def test_the_keyboard_goes_everywhere(browser: Browser, serve: Serve) -> None:
    served = serve(said("One."), said("Two."))
    for _ in range(2):
        await served.chat(HELLO)
    async with opened(browser, served) as page:
        await page.keyboard.press("g")
        await page.keyboard.press("r")
        await arrived(page, "Runs")
        for key in ("j", "j", "k", "Enter"):
            await page.keyboard.press(key)
        await expect(page.locator("#answer-text")).to_have_text("Two.")
        await page.keyboard.press("Escape")
        await arrived(page, "Runs")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).not_to_be_visible()


@pytest.mark.proves("page.search")
async def test_results_come_while_typing_and_terms_are_suggested(browser: Browser, serve: Serve) -> None:
    served = serve(said("The sky is blue."), said("Grass is green."), said("The sky is grey."))
    for _ in range(2):
        await served.chat(HELLO)
    async with opened(browser, served, "/ui/runs") as page:
        await page.keyboard.press("/")
        await page.keyboard.type("state:comp")
        await expect(page.get_by_role("option")).to_have_text(["state:completed"])
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("combobox")).to_have_value("state:completed ")
        await page.keyboard.type("sky")
        await expect(page.locator("table.runs tbody tr")).to_have_count(1)
        await expect(page).to_have_url(f"{served.client.base_url}/ui/runs?q=state%3Acompleted+sky")
        await page.reload()
        await expect(page.locator("table.runs tbody tr")).to_have_count(1)


PICTURED: Final[tuple[tuple[str, Iterable[Step]], ...]] = (
    ("codex_cli_rs/0.63.0", said("The test fails because `parse()` drops the last line when it has no line break.")),
    ("codex_cli_rs/0.63.0", [STARTED, TextDelta("I'll fix the parser first."), ToolCalled(PATCH), USED, PARKED]),
    ("OpenAI/Python 3.54.0", [STARTED, TurnFailed(Failure(Kind.RATE_LIMITED, "The five-hour limit is used up."))]),
    ("opencode/1.4", said("The three places that still call the old name are in `cli/`, `docs/` and `tests/`.")),
    ("curl/8.9.1", said("Hello! <script>alert(1)</script> is shown as text, whoever wrote it.")),
)
"""Clients and their answers in the pictures of the documents, the earliest first."""


@pytest.mark.proves("page.views")
async def test_the_pictures_of_the_documents_are_taken(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    """With PAGE_PICTURES=1 in the environment they replace those in docs/images."""
    gate = Gate()
    running: list[Step] = [STARTED, TextDelta("Let me look at the tests that fail: two of them expect"), gate]
    served = serve(*(script for _, script in PICTURED), running)
    for client, _ in PICTURED:
        await served.chat(user_agent=client)
    wide, phone = {"width": 1180, "height": 600}, {"width": 390, "height": 780}
    pictures: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("page-runs", "/ui/runs", {"viewport": wide}),
        ("page-runs-dark", "/ui/runs", {"viewport": wide, "color_scheme": "dark"}),
        ("page-runs-phone", "/ui/runs", {"viewport": phone}),
    )
    folder = ROOT / "docs/images" if os.environ.get("PAGE_PICTURES") else tmp_path
    async with served.client.stream("POST", CHAT, json=STREAMED, headers={"user-agent": "opencode/1.4"}) as response:
        for name, path, context in pictures:
            async with opened(browser, served, path, **context) as page:
                await expect(page.locator("tr.live")).to_have_count(1)
                await page.screenshot(path=folder / f"{name}.png", animations="disabled", caret="hide")
        gate.open()
        await response.aclose()
    assert {path.name for path in (ROOT / "docs/images").glob("page-*.png")} == {
        f"{name}.png" for name, _, _ in pictures
    }


@pytest.mark.proves("page.accessible")
async def test_every_view_is_accessible_in_light_dark_and_on_a_phone(browser: Browser, serve: Serve) -> None:
    served = serve([STARTED, TextDelta("Let me see."), ToolCalled(CALL), USED, TurnFinished("tool_calls")])
    run = (await served.chat()).json()["id"].removeprefix("chatcmpl-")
    wide, phone = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
    axe = AXE_FILE_PATH.read_text("utf-8")
    run_page = f"/ui/runs/{run}"
    looks: tuple[tuple[dict[str, Any], tuple[str, ...], str], ...] = (
        ({"color_scheme": "light"}, (*VIEWS, run_page), "axe.run()"),
        ({"color_scheme": "dark"}, (*VIEWS, run_page), "axe.run({runOnly: ['color-contrast']})"),
        ({"viewport": phone}, ("/ui/runs", run_page), "axe.run()"),
        ({"viewport": phone}, ("/ui/", "/ui/stats", "/ui/try", "/ui/setup"), "({violations: []})"),  # the width alone
    )
    for look, paths, looks_at in looks:
        # axe is injected, which the policy forbids: the tests above look at the policy
        async with opened(browser, served, **{"viewport": wide, "bypass_csp": True, **look}) as page:
            for path in paths:
                await page.goto(path)
                await page.evaluate(axe)
                found = await page.evaluate(looks_at)
                serious = [each for each in found["violations"] if each["impact"] in {"serious", "critical"}]
                assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in serious] == []
                width = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
                assert width <= 0, f"{path} is wider than the window"
