"""What the gateway counts for `/metrics`: at the end of each run, and with the rare events of a turn. No token is
counted by itself.
"""

from typing import Final

from claude_openai.core import metrics
from claude_openai.core.events import Event, RateLimitReported, Retrying
from claude_openai.core.failures import Kind
from claude_openai.core.load import Load
from claude_openai.core.metrics import OTHER, Counts, Metric, Samples
from claude_openai.core.models import Catalogue, Model
from claude_openai.core.ports import BackendStatus, StoreStatus
from claude_openai.core.runs import Caller, Run

WINDOWS: Final = frozenset({"five_hour", "seven_day", "seven_day_opus", "seven_day_sonnet", "overage"})
"""The usage windows that the Agent SDK lists (`RateLimitType`)."""

_STATUS_CLASSES: Final = {4: "4xx", 5: "5xx"}

REFUSED: Final = "none"
"""The label of the model of a request that was refused before its model was known."""


def model_label(model: Model, catalogue: Catalogue | None) -> str:
    """The id of `model` in the catalogue, or `other`: a client may request any `claude-...` id."""
    known = catalogue is not None and any(model.id == listed.id for listed in catalogue.models)
    return model.id if known else OTHER


class Measurements:
    """The counts of one server."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.counts.add(metrics.QUEUE_REJECTIONS, by=0)
        for window in (*WINDOWS, OTHER):  # an alert on the first one needs a value before it
            self.counts.add(metrics.LIMIT_REJECTIONS, window, by=0)

    def note_event(self, event: Event) -> None:
        """Record an event that is no delta."""
        counts = self.counts
        match event:
            case Retrying(status=status):
                counts.add(metrics.RETRIES, _STATUS_CLASSES.get((status or 0) // 100, "none"))
            case RateLimitReported(window=window):
                label = window if window in WINDOWS else OTHER
                if event.status == "rejected":
                    counts.add(metrics.LIMIT_REJECTIONS, label)
                if event.utilization is not None:
                    counts.set(metrics.LIMIT_UTILIZATION, label, to=event.utilization)
                if event.resets_at is not None:
                    counts.set(metrics.LIMIT_RESET, label, to=event.resets_at)
            case _:
                pass

    def note_refused(self, endpoint: str, code: str) -> None:
        """Record a request that was refused before it became a run, with the code of its error."""
        self.counts.add(metrics.REQUESTS, endpoint, REFUSED, "failed", code)

    def note_end(self, caller: Caller, model: str, run: Run) -> None:
        """Record the end of the answer of `run`: it is in its last state, or parked."""
        counts = self.counts
        outcome = run.state.value if run.error_code else "completed"
        counts.add(metrics.REQUESTS, caller.endpoint, model, outcome, run.error_code or "")
        if run.error_code == Kind.QUEUE_FULL:
            counts.add(metrics.QUEUE_REJECTIONS)
        if run.ended_at is not None:
            parsed = caller.parse_seconds
            counts.observe(metrics.DURATION, caller.endpoint, value=run.ended_at - run.arrived_at + parsed)
            if run.first_token_at is not None:
                waited = run.first_token_at - run.arrived_at + parsed
                counts.observe(metrics.FIRST_TOKEN, run.session_start or OTHER, value=waited)
                seconds = run.ended_at - run.first_token_at
                if run.usage and seconds > 0:
                    counts.observe(metrics.OUTPUT_RATE, model, value=run.usage.output_tokens / seconds)
        if run.session_start is not None:
            counts.add(metrics.TURNS, run.session_start)
        if run.began_at is not None:
            counts.observe(metrics.QUEUE_WAIT, value=run.began_at - run.arrived_at)
        if usage := run.usage:
            counts.add(metrics.TOKENS, model, "input", by=usage.input_tokens)
            counts.add(metrics.TOKENS, model, "cache_read", by=usage.cache_read_tokens)
            counts.add(metrics.TOKENS, model, "cache_write", by=usage.cache_creation_tokens)
            counts.add(metrics.TOKENS, model, "output", by=usage.output_tokens)
            counts.add(metrics.REASONING_TOKENS, model, by=usage.reasoning_tokens)
        if run.cost_usd is not None:
            counts.add(metrics.COST, model, by=run.cost_usd)

    def samples(self, load: Load, places: int, backend: BackendStatus, store: StoreStatus) -> dict[Metric, Samples]:
        """The values of all metrics that the gateway knows."""
        runs, processes = load.runs, load.processes
        return {
            **self.counts.copy(),
            metrics.RUNS: {("queued",): runs.queued, ("running",): runs.running, ("parked",): runs.parked},
            metrics.PLACES: {(): places},
            metrics.PROCESSES: {
                ("answering",): processes.answering,
                ("resting",): processes.resting,
                ("parked",): processes.parked,
                ("ending",): processes.ending,
                ("warm",): processes.warm,
            },
            metrics.START_FAILURES: {(): backend.start_failures},
            metrics.TOOL_CALLS: {("true",): backend.valid_calls, ("false",): backend.invalid_calls},
            metrics.REBUILDS: {(reason,): count for reason, count in load.miss_reasons.items()},
            metrics.CONVERSATIONS_ENDED: {(reason,): count for reason, count in load.end_reasons.items()},
            metrics.STORE_UNWRITTEN: {(): store.unwritten},
            metrics.STORE_LOST: {(): store.lost},
            **({metrics.STORE_BYTES: {(): store.bytes}} if store.bytes is not None else {}),
        }
