"""What is shown to people only: the unit under the commands' progress and colours, without a wait."""

import re
import threading
from io import StringIO

import pytest

from claude_openai.cli import terminal
from claude_openai.cli.terminal import progress
from tests.patience import PATIENCE_SECONDS


class Screen(StringIO):
    """A terminal that says when something has been written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.written.set()


@pytest.mark.proves("terminal.colours")
def test_progress_is_shown_while_it_lasts_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.0)
    screen = Screen()
    with progress("Waiting", screen):
        assert screen.written.wait(PATIENCE_SECONDS)
    assert re.fullmatch(r"(\rWaiting \.\.\. \d s\r)+\r {15}\r", screen.getvalue())


@pytest.mark.proves("terminal.colours")
def test_progress_that_lasts_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.0)
    monkeypatch.setattr(terminal, "SLOW_SECONDS", 0.0)
    screen = Screen()
    with progress("Waiting", screen, slow=" for the network"):
        assert screen.written.wait(PATIENCE_SECONDS)
    assert re.fullmatch(r"(\rWaiting for the network \.\.\. \d s\r)+\r {31}\r", screen.getvalue())


@pytest.mark.proves("terminal.colours")
def test_what_is_quick_or_captured_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, captured = Screen(), StringIO()
    with progress("Waiting", screen):
        pass
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.0)
    with progress("Waiting", captured):
        pass
    assert (screen.getvalue(), captured.getvalue()) == ("", "")


@pytest.mark.proves("terminal.colours")
def test_progress_ends_with_a_block_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "QUIET_SECONDS", 0.0)
    screen = Screen()
    with pytest.raises(ValueError, match="invalid literal"), progress("Waiting", screen):
        int("not a number" if screen.written.wait(PATIENCE_SECONDS) else "1")
    assert screen.getvalue().endswith("\r")
