"""The first moments of the command: before anything of it is loaded, and when its port is taken."""

import builtins
from typing import Any

import pytest

from claude_openai import __main__ as entry
from claude_openai.errors import ExitCode
from claude_openai.system.serving import bound


@pytest.mark.proves("start.exit-codes")
def test_ctrl_c_while_all_is_being_loaded_is_an_interruption_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really = builtins.__import__

    def interrupted(name: str, *rest: Any) -> Any:
        if name == "claude_openai":
            raise KeyboardInterrupt
        return really(name, *rest)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == ExitCode.INTERRUPTED


@pytest.mark.proves("start.refused")
def test_a_port_is_anothers_from_the_moment_it_is_bound() -> None:
    with bound("127.0.0.1", 0) as first, pytest.raises(OSError, match="in use"):
        bound("127.0.0.1", first.getsockname()[1])
