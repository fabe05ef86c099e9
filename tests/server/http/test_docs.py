"""`docs/reference/http.md` and `errors.md` say what the code does: every route, every header of ours, every error."""

import re

import pytest

from claude_openai.core.failures import Kind
from claude_openai.http.endpoints.openapi import document
from claude_openai.http.endpoints.table import ENDPOINTS
from claude_openai.http.generation import context as reading
from claude_openai.http.middleware import origin
from claude_openai.http.middleware import request_log as request_id
from claude_openai.protocols.common import rate_limits
from claude_openai.protocols.common.errors import TABLE
from tests.repository import ROOT

HTTP = ROOT / "src" / "claude_openai" / "http"
PAGE = (ROOT / "docs" / "reference" / "http.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")


@pytest.mark.proves("http.openapi")
def test_every_route_is_in_the_table() -> None:
    paths = document("1.2.3", ENDPOINTS)["paths"]
    assert isinstance(paths, dict)
    routes = {f"{method.upper()} {path}" for path, operations in paths.items() for method in operations}
    page = {"GET /ui/"}  # for people; the description is of what programs use
    assert set(re.findall(r"^\| `([A-Z]+ /\S*)` \|", PAGE, re.MULTILINE)) == routes | page


@pytest.mark.proves("errors.envelope")
@pytest.mark.parametrize("kind", Kind)
def test_every_failure_is_in_the_table(kind: Kind) -> None:
    row = TABLE[kind]
    code = f"`{row.code}`" if row.code else "null"
    assert f"| {row.status} | `{row.type}` | {code} |" in ERRORS


@pytest.mark.proves("errors.envelope")
def test_the_table_has_no_error_that_there_is_not() -> None:
    refusals = {code for path in HTTP.rglob("*.py") for code in re.findall(r'code="(\w+)"', path.read_text("utf-8"))}
    documented = set(re.findall(r"^\| \d{3} \| `\w+` \| `(\w+)` \|", ERRORS, re.MULTILINE))
    assert documented == refusals | {row.code for row in TABLE.values() if row.code}


OWN_HEADERS = [
    reading.IGNORED,
    reading.ADJUSTED,
    request_id.REQUEST_ID,
    request_id.SIMULATED,
    rate_limits.RETRY_AFTER,
    *rate_limits.HEADERS,
]


@pytest.mark.proves("params.ignored", "http.request-id", "simulate.loud", "ratelimit.headers")
@pytest.mark.parametrize("header", OWN_HEADERS)
def test_every_header_of_ours_is_in_the_table_and_can_be_read_by_a_page(header: str) -> None:
    assert f"\n| `{header}` |" in PAGE
    assert header in origin.READABLE
