"""Places for turns, on trio's virtual clock; where two things happen in one moment, on the loop of the server too."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import anyio
import anyio.lowlevel
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from structlog.typing import EventDict

from claude_openai.core.failures import Failure, Kind, RequestFailed
from claude_openai.gateway import QueueLimits, Timeouts
from claude_openai.gateway.admission import Admission, Admitted
from tests.virtual_clock import on_virtual_clock

WAIT = 60
"""Seconds that a request may wait here; the clock jumps."""

on_both_loops = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])


@dataclass(eq=False)
class Client:
    """One request: `admitted` or `failure` is what came of it; `done` ends its turn, and `leaves` is the client's."""

    principal: str = "a"
    admitted: Admitted | None = None
    failure: Failure | None = None
    done: anyio.Event = field(default_factory=anyio.Event)
    leaves: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    async def ask(self, admission: Admission) -> None:
        with self.leaves:
            try:
                async with admission.place(self.principal) as self.admitted:
                    await self.done.wait()
            except RequestFailed as refused:
                self.failure = refused.failure

    @property
    def kind(self) -> Kind | None:
        return self.failure.kind if self.failure else None


class Ask(Protocol):
    async def __call__(self, *clients: Client) -> None: ...


@asynccontextmanager
async def asking(admission: Admission, *clients: Client) -> AsyncIterator[Ask]:
    """`clients` ask in this order, and more in the block. At its end all leave, and then no place is taken."""
    async with anyio.create_task_group() as tasks:

        async def ask(*more: Client) -> None:
            for client in more:
                tasks.start_soon(client.ask, admission)
                await settled()

        await ask(*clients)
        yield ask
        tasks.cancel_scope.cancel()
    assert (admission.running, admission.waiting) == (0, 0)


async def settled() -> None:
    """Until every task has come to its next wait: none takes more turns of the loop here."""
    for _ in range(8):
        await anyio.lowlevel.checkpoint()


@contextmanager
def logged() -> Iterator[list[EventDict]]:
    with capture_logs() as events:
        yield events
    structlog.reset_defaults()  # capturing counts as configuring, for good


@on_virtual_clock
async def test_a_turn_that_finds_a_free_place_has_it_at_once() -> None:
    admission, one, other = Admission(2, 0, WAIT), Client("a"), Client("b")
    async with asking(admission, one, other):
        assert one.admitted == other.admitted == Admitted(position=0, waited=0)
        assert (admission.running, admission.waiting) == (2, 0)


@on_virtual_clock
async def test_a_turn_over_the_bound_waits_for_one_to_end_and_is_told_how_long_it_did() -> None:
    admission, running, first, second = Admission(1, 9, WAIT), Client(), Client(), Client()
    async with asking(admission, running, first, second):
        assert (admission.running, admission.waiting) == (1, 2)
        await anyio.sleep(7)
        running.done.set()
        await settled()
        assert (first.admitted, second.admitted) == (Admitted(position=0, waited=7), None)
        await anyio.sleep(3)
        first.done.set()
        await settled()
        assert second.admitted == Admitted(position=1, waited=10)


@on_virtual_clock
async def test_a_turn_that_fails_gives_its_place_back() -> None:
    admission = Admission(1, 0, WAIT)
    with pytest.raises(OSError, match="lost"):
        async with admission.place("a"):
            raise OSError("lost")
    assert admission.running == 0


@pytest.mark.proves("admission.fair")
@on_virtual_clock
async def test_the_one_request_of_a_key_does_not_wait_for_all_of_another() -> None:
    admission, running = Admission(1, 9, WAIT), Client("a")
    a1, a2, a3, b = Client("a"), Client("a"), Client("a"), Client("b")
    async with asking(admission, running, a1, a2, a3, b):
        for ends, begins in ((running, a1), (a1, b), (b, a2), (a2, a3)):
            assert not begins.admitted
            ends.done.set()
            await settled()
            assert begins.admitted


@on_virtual_clock
async def test_a_full_queue_refuses_at_once_and_says_what_helps() -> None:
    admission, late = Admission(1, 1, WAIT), Client("b")
    async with asking(admission, Client(), Client()) as ask:
        await anyio.sleep(12)
        await ask(late)
        assert (admission.running, admission.waiting) == (1, 1)
    assert late.failure == Failure(
        Kind.QUEUE_FULL,
        "The queue is full (1 running, 1 waiting): send the request again later, or let the server take more at once"
        " (--max-concurrency) or have more wait (--max-queue-size).",
        retry_after=12,  # one has waited so long, and nobody was let in
    )


@on_virtual_clock
async def test_a_refused_client_is_asked_to_wait_for_a_second_at_least() -> None:
    refused = Client()
    async with asking(Admission(1, 0, WAIT), Client(), refused):
        assert refused.failure
        assert refused.failure.retry_after == 1


@pytest.mark.proves("admission.queue-full")
@on_virtual_clock
async def test_a_wait_that_takes_too_long_ends_and_says_what_helps() -> None:
    admission, early, late = Admission(1, 9, WAIT), Client(), Client()
    async with asking(admission, Client(), early) as ask:
        await anyio.sleep(20)
        await ask(late)
        await anyio.sleep(39.9)
        assert (early.failure, admission.waiting) == (None, 2)
        await anyio.sleep(0.2)
        assert (late.failure, admission.waiting) == (None, 1)
        await anyio.sleep(20)
    assert late.kind is Kind.QUEUE_TIMEOUT
    assert early.failure == Failure(
        Kind.QUEUE_TIMEOUT,
        "The request waited 60 s in the queue and got no place: send it again later, or let the server take more at"
        " once (--max-concurrency) or have requests wait longer (--queue-timeout).",
        retry_after=60,  # it has waited so long itself, and nobody was let in
    )


@pytest.mark.proves("admission.queue-full")
@on_virtual_clock
async def test_a_turn_that_has_its_place_may_take_longer_than_a_wait() -> None:
    admission, running, waited = Admission(1, 9, WAIT), Client(), Client()
    async with asking(admission, running, waited):
        await anyio.sleep(WAIT - 1)
        running.done.set()
        await anyio.sleep(3 * WAIT)
        assert waited.admitted
        assert (waited.failure, admission.running) == (None, 1)


@on_virtual_clock
async def test_a_waiting_client_that_leaves_frees_its_place_in_the_queue_at_once() -> None:
    admission, running, leaving, late = Admission(1, 1, WAIT), Client(), Client(), Client()
    async with asking(admission, running, leaving) as ask:
        leaving.leaves.cancel()
        await settled()
        assert admission.waiting == 0
        await ask(late)
        assert admission.waiting == 1
        running.done.set()
        await settled()
        assert late.admitted == Admitted(position=0, waited=0)
        assert leaving.admitted is None


@on_both_loops
@pytest.mark.parametrize("leaves_first", [True, False])
async def test_a_place_for_a_client_that_leaves_in_that_moment_goes_to_the_next(*, leaves_first: bool) -> None:
    admission, leaving, following = Admission(1, 9, WAIT), Client(), Client()
    async with asking(admission) as ask:
        async with admission.place("a"):
            await ask(leaving, following)
            if leaves_first:
                leaving.leaves.cancel()
        if not leaves_first:
            leaving.leaves.cancel()
        await settled()
        assert following.admitted
        assert (admission.running, admission.waiting) == (1, 0)


@pytest.mark.proves("lifetime.stop")
@on_virtual_clock
async def test_a_server_that_stops_lets_nobody_in_and_leaves_turns_their_places() -> None:
    admission, running, one, other, late = Admission(1, 9, WAIT), Client(), Client(), Client(), Client()
    async with asking(admission, running, one, other) as ask:
        admission.close()
        await ask(late)
        assert [client.kind for client in (one, other, late)] == [Kind.SHUTTING_DOWN] * 3
        assert (running.failure, admission.running) == (None, 1)


@pytest.mark.proves("lifetime.stop")
@on_both_loops
@pytest.mark.parametrize("stops_first", [True, False])
async def test_a_place_that_comes_free_while_the_server_stops_goes_to_nobody(*, stops_first: bool) -> None:
    admission, one, other = Admission(1, 9, WAIT), Client(), Client()
    async with asking(admission) as ask:
        async with admission.place("a"):
            await ask(one, other)
            if stops_first:
                admission.close()
        admission.close()
        await settled()
        assert [client.kind for client in (one, other)] == [Kind.SHUTTING_DOWN] * 2
        assert (admission.running, admission.waiting) == (0, 0)


@pytest.mark.proves("logs.documented")
@on_virtual_clock
async def test_a_wait_is_logged_when_it_begins_and_with_how_it_ended() -> None:
    admission, running, refused = Admission(1, 4, WAIT), Client("a"), Client("c")
    admitted, leaving, closed, late = Client("a"), Client("a"), Client("b"), Client("b")
    with logged() as events:
        async with asking(admission, running, admitted, leaving, late) as ask:
            await anyio.sleep(1.5)
            await ask(closed, refused)
            leaving.leaves.cancel()
            await settled()
            running.done.set()
            await anyio.sleep(WAIT - 1)
            admission.close()
            await settled()
    assert events == [
        {"log_level": "info", **told}
        for told in (
            {"event": "queue.entered", "position": 0, "waiting": 1},
            {"event": "queue.entered", "position": 1, "waiting": 2},
            {"event": "queue.entered", "position": 1, "waiting": 3},
            {"event": "queue.entered", "position": 3, "waiting": 4},
            {"event": "queue.full", "running": 1, "waiting": 4},
            {"event": "queue.left", "waited_ms": 1500, "outcome": "left"},
            {"event": "queue.left", "waited_ms": 1500, "outcome": "admitted"},
            {"event": "queue.left", "waited_ms": 60_000, "outcome": "timeout"},
            {"event": "queue.left", "waited_ms": 59_000, "outcome": "closed"},
        )
    ]


@dataclass(frozen=True, slots=True)
class Visit:
    """A client's story in seconds: when it comes, how long it stays at most, and how long its turn takes."""

    principal: str
    comes: int
    stays: int
    turn: int


@dataclass
class House:
    """Counts by itself who is inside, and how each visit ended."""

    admission: Admission
    places: int
    inside: int = 0
    ends: Counter[str] = field(default_factory=Counter)

    async def receive(self, visit: Visit) -> None:
        await anyio.sleep(visit.comes)
        end = "left"
        try:
            with anyio.move_on_after(visit.stays):
                async with self.admission.place(visit.principal):
                    await self.take(visit)
                end = "served"
        except RequestFailed as refused:
            end = refused.failure.kind
        self.ends[end] += 1

    async def take(self, visit: Visit) -> None:
        self.inside += 1
        assert self.inside <= self.places
        try:
            await anyio.sleep(visit.turn)
        finally:
            self.inside -= 1


SECONDS = st.integers(0, 6)
VISITS = st.lists(st.builds(Visit, st.sampled_from("abc"), SECONDS, SECONDS, SECONDS), max_size=14)


@pytest.mark.proves("admission.queue-full")
@settings(deadline=None)
@given(places=st.integers(1, 3), most_waiting=st.integers(0, 5), visits=VISITS, closes=st.integers(3, 15))
def test_whatever_coincides_no_more_are_inside_than_there_are_places_and_none_stays_taken(
    places: int, most_waiting: int, visits: list[Visit], closes: int
) -> None:
    admission = Admission(places, most_waiting, 3)
    house = House(admission, places)

    @on_virtual_clock
    async def play() -> None:
        async with anyio.create_task_group() as tasks:
            for visit in visits:
                tasks.start_soon(house.receive, visit)
            await anyio.sleep(closes)
            admission.close()

    play()
    assert house.ends.total() == len(visits)
    assert (admission.running, admission.waiting) == (0, 0)


# The default number of places.

AGENTS, SIDE_REQUESTS = 3, 3
"""Three agents of one person's; a client such as Open WebUI asks for title, tags and questions after each answer."""

LONG, SHORT = 500, 2
"""Seconds that an answer takes, and one to a side request."""


@pytest.mark.proves("admission.side-requests")
@on_virtual_clock
async def test_side_requests_of_three_agents_never_wait_for_a_long_answer() -> None:
    queue = QueueLimits()
    admission = Admission(queue.max_running, queue.max_waiting, queue.wait_seconds)
    waits: list[float] = []

    async def one(seconds: float) -> None:
        async with admission.place("one person") as admitted:
            waits.append(admitted.waited)
            await anyio.sleep(seconds)

    async def agent(begins: float) -> None:
        await anyio.sleep(begins)
        for _ in range(5):
            await one(LONG)
            for _ in range(SIDE_REQUESTS):
                agents.start_soon(one, SHORT)  # the next words do not wait for them

    async with anyio.create_task_group() as agents:
        for begins in (0, 0, 1):  # two end in the same moment, and the third soon after
            agents.start_soon(agent, begins)
    assert len(waits) == AGENTS * 5 * (1 + SIDE_REQUESTS)
    assert max(waits) <= SHORT
    assert (admission.running, admission.waiting) == (0, 0)


@pytest.mark.proves("admission.queue-full")
@on_virtual_clock
async def test_who_waits_by_default_waits_for_half_of_a_requests_time_and_has_the_other_half() -> None:
    queue, patience = QueueLimits(), Timeouts()
    admission, waiting = Admission(1, queue.max_waiting, queue.wait_seconds), Client()
    async with asking(admission, Client(), waiting):
        await anyio.sleep(patience.request / 2 - 1)
        assert waiting.failure is None
        await anyio.sleep(2)
        assert waiting.kind is Kind.QUEUE_TIMEOUT
