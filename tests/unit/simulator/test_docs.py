"""`docs/reference/simulator.md` tells what the simulator does, and nothing else."""

import re
import subprocess
import sys
from itertools import chain

import pytest

from claude_openai.simulator import Reply, ToolUse, simulated_model
from claude_openai.simulator.directives import NAMES, directives
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT
from tests.unit.simulator.api import TIME, WEATHER, asking, recorded

pytestmark = pytest.mark.proves("simulator.rules")

PAGE = ROOT / "docs" / "reference" / "simulator.md"
BRACKETS = re.findall(r"`(\[\[sim .*?\]\])`", PAGE.read_text())


def test_every_directive_and_option_is_described() -> None:
    described = list(chain.from_iterable(directives(bracket) for bracket in BRACKETS))
    options = {name: {option for one in described if one.name == name for option in one.options} for name in NAMES}
    assert {one.name for one in described} == NAMES.keys()
    assert {name: frozenset(seen) for name, seen in options.items()} == NAMES


@pytest.mark.parametrize("bracket", BRACKETS)
def test_every_directive_that_is_described_works(bracket: str) -> None:
    answer = simulated_model(recorded(asking(bracket, tools=[WEATHER, TIME])))
    assert "no number" not in str(answer)
    assert "none of" not in str(answer)


@pytest.mark.parametrize("prompt", re.findall(r"`((?:Use|What) .*?)`", PAGE.read_text()))
def test_the_prompts_that_are_said_to_call_a_tool_do(prompt: str) -> None:
    answer = simulated_model(recorded(asking(prompt, tools=[WEATHER])))
    assert answer == Reply((ToolUse("get_weather", {"city": "Paris", "unit": "celsius"}),))


@pytest.mark.proves("simulator.script")
def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", example], timeout=PATIENCE_SECONDS, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
