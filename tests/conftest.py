"""What holds for every test: nothing of the caller's account, network or files is within reach, and nothing a test
starts outlives it.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import structlog
from hypothesis import settings

from tests.patience import PATIENCE_SECONDS
from tests.processes import checks_schemas, is_browsers

settings.register_profile("full", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=10)
settings.load_profile("full")
"""Properties are about values, not about time. `make test-unit` takes the quick one (`--hypothesis-profile`)."""

FOREIGN = ("ANTHROPIC_", "CLAUDE", "AWS_", "GOOGLE_", "CLOUD_ML_", "VERTEX_", "AZURE_", "OPENAI_", "API_KEY", "PORT")
"""Beginnings of variables that could lead a program under test to a real account, or change what it does."""

ON_A_TERMINAL = ("NO_COLOR", "FORCE_COLOR", "TERM", "DEBUG")
"""Variables that change what a command shows to people: a test that looks at that sets its own."""

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

NOWHERE = "http://127.0.0.1:9"
"""Port 9 of this machine answers nobody: what escapes a test's own upstream ends here."""


LISTS_CHILDREN = Path("/proc/thread-self/children").exists()
"""Linux can be built without such lists."""


def is_foreign(variable: str) -> bool:
    return variable.upper().startswith(FOREIGN) or variable.upper() in (*PROXIES, *ON_A_TERMINAL)


@pytest.fixture(scope="session", autouse=True)
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home of its own, and an environment in which every way to Claude ends on this machine.

    Its path is short, whatever TMPDIR is: Claude Code keeps sockets in folders below, and a socket's path has 107 bytes
    at most.
    """
    tmp_path_factory.getbasetemp()  # pytest's own folder stays where it always is
    shortest = "/tmp" if Path("/tmp").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="home-", dir=shortest) as folder, pytest.MonkeyPatch.context() as patch:
        home = Path(folder).resolve()
        temporary = home / "tmp"
        temporary.mkdir()
        for variable in [name for name in os.environ if is_foreign(name)]:
            patch.delenv(variable)
        patch.delenv("XDG_RUNTIME_DIR", raising=False)
        for variable, value in {
            "HOME": str(home),
            "USERPROFILE": str(home),
            "XDG_CONFIG_HOME": str(home / ".config"),
            "TMPDIR": str(temporary),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": NOWHERE,
            "ANTHROPIC_API_KEY": "sk-ant-nobody",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }.items():
            patch.setenv(variable, value)
        patch.setattr(tempfile, "tempdir", str(temporary))
        yield home


for _signal in (signal.SIGINT, signal.SIGHUP):
    # `nohup make test &` has both ignored, and so would every command that a test starts and stops. One that is handled
    # is as usual in children, and still nothing to the tests.
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, lambda *_: None)


@pytest.fixture(autouse=True)
def leaves_nothing(sandbox: Path) -> Iterator[None]:
    """Fails a test after which a process or a temporary folder is left that was not there before."""
    processes, folders = _children(), _temporary(sandbox)
    yield
    # Some tests share a server, and with it its workers that check schemas, or a browser.
    processes |= {each for each in _children() if checks_schemas(each) or is_browsers(each)}
    _, alive = psutil.wait_procs(_children() - processes, timeout=PATIENCE_SECONDS)
    assert [(process.pid, process.cmdline()[:4]) for process in alive] == []
    deadline = time.monotonic() + PATIENCE_SECONDS  # a client may have its answer before the turn has cleaned up
    while _temporary(sandbox) - folders and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _temporary(sandbox) - folders == set()


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """`structlog.testing.capture_logs` counts as configuring for good, and the command line configures only once."""
    configured = structlog.is_configured()
    yield
    if not configured:
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The server runs on asyncio, as uvicorn does; tests of timers choose trio's clock themselves."""
    return "asyncio"


def _children() -> set[psutil.Process]:
    """This process's descendants. Where the kernel lists children, most tests are over without a look at all processes
    of the machine, which takes 2 ms (measured).
    """
    if LISTS_CHILDREN and not any(map(_is_parent, Path("/proc/self/task").iterdir())):
        return set()
    return set(psutil.Process().children(recursive=True))


def _is_parent(thread: Path) -> bool:
    try:
        return bool((thread / "children").read_text())
    except OSError:  # it ends just now, and its children become another thread's
        return True


def _temporary(sandbox: Path) -> set[Path]:
    return set((sandbox / "tmp").iterdir())
