"""Which hosts Claude Code may fetch from."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio
import pytest
from claude_agent_sdk import ClaudeAgentOptions, HookContext

from claude_openai.claude_code.agent.long_output import LongOutput
from claude_openai.claude_code.agent.protected_paths import ProtectedPaths
from claude_openai.claude_code.agent.tool_policy import ToolPolicy
from claude_openai.claude_code.agent.web import Resolve, allowed, leads_inside, unclear
from claude_openai.claude_code.processes.scratch import Scratch
from claude_openai.claude_code.sdk.agent import CLIENT_TOOL_NAMES, PermissionHook
from claude_openai.core.agent import AgentProfile
from claude_openai.system.workspace import AllowedFolders
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.anyio


def known(*addresses: str) -> Resolve:
    async def resolve(host: str) -> Iterable[str]:
        if not addresses:
            raise OSError(host)
        return addresses

    return resolve


@pytest.mark.proves("agent.web.inside")
@pytest.mark.parametrize(
    "host",
    [
        *(
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f.1",
            "0177.0.0.1",
            "0",
            "0x7F000001",
            "127.0.0.1.",
            "169.254.169.254",
        ),
        *("10.1.2.3", "192.168.0.1", "100.64.0.1", "224.0.0.1", "localhost", "LOCALHOST.", "a.localhost", "a.local"),
        *("metadata.google.internal", "a.08", "[::1]", "[::ffff:127.0.0.1]"),
    ],
)
def test_an_address_of_this_machine_or_its_network_is_refused_in_every_form(host: str) -> None:
    assert unclear(f"https://{host}/x")
    assert unclear(f"http://{host}:8000")


@pytest.mark.proves("agent.web.inside")
@pytest.mark.parametrize(
    "url",
    [
        *(" https://a.example", "https:a.example", "https://user@a.example", "https://a.example\\@b.example"),
        *(
            "https://a.example/x y",
            "https://127\u30020.0.1",
            "https://a.example\t",
            "https://\u212a.example",
            "ftp://a.example",
        ),
        *("https://a..example", "https:///x", "https://%31.example", "https://a.example\n", None, 7),
    ],
)
def test_an_address_that_not_everybody_reads_alike_is_refused(url: object) -> None:
    assert unclear(url)


@pytest.mark.proves("agent.web.inside")
@pytest.mark.parametrize(
    "url", ["https://example.com", "http://a-b.example.com:80/x?y=(1)#z", "https://1.1.1.1/", "HTTPS://A.EXAMPLE"]
)
def test_a_host_of_the_open_internet_is_not(url: str) -> None:
    assert unclear(url) is None


@pytest.mark.proves("agent.web.inside")
@pytest.mark.parametrize(
    "addresses",
    [
        *(("127.0.0.1",), ("1.1.1.1", "10.0.0.1"), ("::1",), ("fe80::1%eth0",), ("fd00::1",), ("::ffff:10.0.0.1",)),
        *(("64:ff9b::7f00:1",), ("2002:7f00:1::",), ("2001:0:7f00:1::",), ("no address",), ()),
    ],
)
async def test_a_name_that_leads_inside_or_nowhere_is_refused(addresses: tuple[str, ...]) -> None:
    assert await leads_inside("https://a.example/", known(*addresses))


@pytest.mark.proves("agent.web.inside")
async def test_a_name_that_leads_to_the_open_internet_is_not() -> None:
    assert await leads_inside("https://a.example/", known("1.1.1.1", "2606:4700::1111", "64:ff9b::101:101")) is None


@pytest.mark.proves("agent.web.inside")
@pytest.mark.parametrize(
    ("rules", "may"),
    [
        ((), False),
        (("Bash", "WebFetchX"), False),
        (("WebFetch",), True),
        (("WebFetch(domain:example.com)",), True),
        (("WebFetch(domain:*.example.com)",), True),
        (("WebFetch(domain:*)",), True),
        (("WebFetch(domain:other.example)",), False),
        (("WebFetch(domain:ple.com)",), False),
    ],
)
def test_a_rule_allows_its_own_hosts(rules: tuple[str, ...], may: bool) -> None:
    assert allowed(rules, "a.example.com") == may


async def asked(profile: AgentProfile, url: str) -> tuple[bool, list[str]]:
    """Whether a fetch was refused, and which hosts were looked up."""
    looked_up: list[str] = []

    async def resolve(host: str) -> Iterable[str]:
        looked_up.append(host)
        return ("10.0.0.1",)

    options = ClaudeAgentOptions()
    fence = ToolPolicy(AllowedFolders(["/"]), ProtectedPaths.of({"HOME": "/home/ada"}), False, CLIENT_TOOL_NAMES.prefix)
    PermissionHook(fence, profile, LongOutput("/home/ada/.claude", Scratch(Path("/nowhere"))), resolve).install(options)
    assert options.hooks
    (matcher,) = options.hooks["PreToolUse"]
    question: Any = {"tool_name": "WebFetch", "tool_input": {"url": url}, "cwd": "/"}
    with anyio.fail_after(PATIENCE_SECONDS):
        answer: Any = await matcher.hooks[0](question, "toolu_1", HookContext(signal=None))
    return bool(answer), looked_up


@pytest.mark.proves("agent.web.inside")
async def test_only_a_host_that_may_be_asked_is_looked_up() -> None:
    """The look-up alone would tell the owner of a name whatever the model writes into it."""
    told = "https://secret.example.com/"
    assert await asked(AgentProfile("/"), told) == (False, [])
    assert await asked(AgentProfile("/", allowed_tools=("WebFetch(domain:other.example)",)), told) == (False, [])
    assert await asked(AgentProfile("/", allowed_tools=("WebFetch",)), "https://127.0.0.1/") == (True, [])
    for profile in (
        AgentProfile("/", allowed_tools=("WebFetch",)),
        AgentProfile("/", permission_mode="auto"),
        AgentProfile("/", setting_sources=("user",)),
    ):
        assert await asked(profile, told) == (True, ["secret.example.com"])
