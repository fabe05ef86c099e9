"""No test can reach a real account: what a program started by a test inherits leads nowhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import NOWHERE, is_foreign

OURS = {
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
}


def test_a_child_inherits_neither_login_nor_home_nor_proxy(sandbox: Path) -> None:
    show = [sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"]
    inherited = json.loads(subprocess.run(show, capture_output=True, check=True, text=True).stdout)
    assert {variable for variable in inherited if is_foreign(variable)} == OURS
    assert inherited["ANTHROPIC_BASE_URL"] == NOWHERE
    assert inherited["ANTHROPIC_API_KEY"] == "sk-ant-nobody"
    assert Path(inherited["HOME"]) == sandbox
    assert Path(inherited["CLAUDE_CONFIG_DIR"]).is_relative_to(sandbox)
    assert Path(os.path.expanduser("~")) == sandbox  # noqa: PTH111 -- what libraries use


@pytest.mark.parametrize(
    "variable",
    ["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK", "AWS_PROFILE", "https_proxy"],
)
def test_what_could_lead_to_an_account_counts_as_foreign(variable: str) -> None:
    assert is_foreign(variable)
