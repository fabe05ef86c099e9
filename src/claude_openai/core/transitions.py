"""State machines as tables: a state and an event lead to the next state, and any other pair is a defect."""

from collections.abc import Mapping
from typing import TypeVar

State = TypeVar("State")
Event = TypeVar("Event")


class InvalidTransition(RuntimeError):
    """The state does not allow the transition: a defect of this server."""


def next_state(transitions: Mapping[tuple[State, Event], State], subject: str, state: State, event: Event) -> State:
    """The state of `subject` ("a session") after `event`.

    Raises:
        InvalidTransition: the table has no such transition.
    """
    after = transitions.get((state, event))
    if after is None:
        raise InvalidTransition(f"{subject} that is {state} cannot {event}")
    return after
