"""The real backend and the fake keep the same promises."""

import psutil
import pytest

from claude_openai.backends.sdk import SdkBackend, SdkSettings, bundled_cli
from claude_openai.core.events import TextDelta, TurnFailed, TurnFinished, TurnStarted, Usage, UsageReported
from claude_openai.core.failures import Failure as CoreFailure
from claude_openai.core.failures import Kind
from claude_openai.core.ports import Backend
from claude_openai.testing import Failure, Gate, Reply, Simulator, Stall, Text
from claude_openai.testing.conformance import BackendConformance
from claude_openai.testing.scripted_backend import ScriptedBackend
from claude_openai.testing.simulator.script import Answer

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


class SdkStage:
    def __init__(self, simulator: Simulator, login: dict[str, str]) -> None:
        self._simulator = simulator
        self._backend = SdkBackend(SdkSettings(str(bundled_cli()), login, max_retries=0))

    def answering(self) -> Backend:
        return self._with(Reply.of("kiwi"))

    def failing(self) -> Backend:
        return self._with(Failure.of(529))

    def silent(self) -> Backend:
        return self._with(Reply((Text(("kiwi", " and more")),), fault=Stall(4)))

    def is_over(self) -> bool:
        return psutil.Process().children(recursive=True) == []

    def _with(self, answer: Answer) -> Backend:
        self._simulator.script = lambda _: answer
        return self._backend


@pytest.mark.proves("core.backend.conformance")
class TestTheScriptedBackend(BackendConformance):
    @pytest.fixture
    def stage(self) -> ScriptedStage:
        return ScriptedStage()


@pytest.mark.proves("core.backend.conformance")
class TestTheRealBackend(BackendConformance):
    @pytest.fixture
    def stage(self, upstream: tuple[Simulator, dict[str, str]]) -> SdkStage:
        return SdkStage(*upstream)
