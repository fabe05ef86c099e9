"""The real backends and the fake keep the same promises."""

import pytest

from claude_openai.claude_code.cli import CliBackend, CliSettings
from claude_openai.claude_code.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.core.events import TextDelta, TurnFailed, TurnFinished, TurnStarted, Usage, UsageReported
from claude_openai.core.failures import Failure as CoreFailure
from claude_openai.core.failures import Kind
from claude_openai.core.ports import Backend
from claude_openai.simulator import Failure, Gate, RecordedRequest, Reply, Simulator, Stall, Text
from claude_openai.simulator.script import Answer
from claude_openai.testing.backend_conformance import BackendConformance, ClaudeCodeConformance
from claude_openai.testing.scripted_backend import ScriptedBackend
from tests.processes import children

STARTED = TurnStarted("sonnet", "session")


class ScriptedStage:
    def __init__(self) -> None:
        self.backends: list[ScriptedBackend] = []

    def answering(self) -> Backend:
        return self._with(
            ScriptedBackend([STARTED, TextDelta("kiwi"), UsageReported(Usage(1, 1)), TurnFinished("stop")])
        )

    def failing(self) -> Backend:
        return self._with(ScriptedBackend([TurnFailed(CoreFailure(Kind.UPSTREAM_ERROR, "no"))]))

    def silent(self) -> Backend:
        return self._with(ScriptedBackend([STARTED, TextDelta("kiwi"), Gate()]))

    def is_over(self) -> bool:
        return all(played.ended.is_set() for backend in self.backends for played in backend.performances)

    def _with(self, backend: ScriptedBackend) -> Backend:
        self.backends.append(backend)
        return backend


class ClaudeCodeOnStage:
    """A backend over Claude Code, and the simulator as its upstream."""

    def __init__(self, simulator: Simulator, backend: Backend, cannot: frozenset[str] = frozenset()) -> None:
        self._simulator = simulator
        self._backend = backend
        self.cannot = cannot

    def answering(self) -> Backend:
        return self.playing(Reply.of("kiwi"))

    def failing(self) -> Backend:
        return self.playing(Failure.of(529))

    def silent(self) -> Backend:
        return self.playing(Reply((Text(("kiwi", " and more")),), fault=Stall(4)))

    def playing(self, answer: Answer) -> Backend:
        self._simulator.script = lambda _: answer
        self._simulator.requests.clear()
        return self._backend

    def asked(self) -> list[RecordedRequest]:
        return self._simulator.requests

    def is_over(self) -> bool:
        return children(recursive=True) == []


@pytest.mark.proves("cli.same-behaviour")
class TestTheScriptedBackend(BackendConformance):
    @pytest.fixture
    def stage(self) -> ScriptedStage:
        return ScriptedStage()


@pytest.mark.proves("cli.same-behaviour")
class TestTheSdkBackend(ClaudeCodeConformance):
    @pytest.fixture
    def stage(self, upstream: tuple[Simulator, dict[str, str]]) -> ClaudeCodeOnStage:
        simulator, login = upstream
        return ClaudeCodeOnStage(simulator, SdkBackend(SdkSettings(str(bundled_cli()), login, max_retries=0)))


@pytest.mark.proves("cli.same-behaviour")
class TestTheCliBackend(ClaudeCodeConformance):
    @pytest.fixture
    def stage(self, upstream: tuple[Simulator, dict[str, str]]) -> ClaudeCodeOnStage:
        simulator, login = upstream
        backend = CliBackend(CliSettings(str(bundled_cli()), login, max_retries=0))
        return ClaudeCodeOnStage(simulator, backend, cannot=frozenset({"tools", "claude"}))
