"""Holds the keys of names to their limits: counts requests, charges answers, and remembers what a day and a month cost.

What counts is in memory, from what the store had at the start on. What other servers with the same store have used is
read now and then.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import anyio
import structlog

from claude_openai.core.failures import Failure, RequestFailed
from claude_openai.core.keys import Identity
from claude_openai.core.limits import PERIODS, KeyUse, Left, Spent, period_at, refused_turn
from claude_openai.core.models import Catalogue
from claude_openai.core.ports import UsageStore
from claude_openai.core.runs import Caller, Run
from claude_openai.core.turn import Turn
from claude_openai.errors import LaunchError

log = structlog.get_logger(__name__)

REREAD_SECONDS: Final = 30.0
"""How old the usage of other servers may be."""


@dataclass(slots=True)
class _Name:
    """What a name has used. `charges` counts answers that were charged here; `read_at` is on the monotonic clock."""

    use: KeyUse
    charges: int = 0
    read_at: float = field(default_factory=anyio.current_time)


class KeyLimiter:
    """The limits of all names. `store` is None where nothing is remembered; `now` is in Unix seconds."""

    def __init__(self, store: UsageStore | None = None, now: Callable[[], float] = time.time) -> None:
        self._store = store
        self._now = now
        self._names: dict[str, _Name] = {}

    async def admit(self, who: Identity) -> Failure | None:
        """Count a request of `who`, or return why it is refused."""
        if who.name is None or not who.limits.given:
            return None
        name = self._of(who.name)
        if who.limits.by_period:
            await self._read_again(who.name, name)
        return name.use.admit(who.name, who.limits, self._now())

    def require_allowed(self, who: Identity, turns: Sequence[Turn], catalogue: Catalogue) -> None:
        """Check that `who` may use the model and the profile of these turns.

        Raises:
            RequestFailed: `MODEL_NOT_FOUND` or `PERMISSION_DENIED`.
        """
        if who.name is not None and (refused := refused_turn(who.name, who.limits, turns, catalogue)):
            raise RequestFailed(refused)

    def left(self, who: Identity) -> tuple[Left, ...]:
        """What is left of the limits of `who`."""
        if who.name is None or not who.limits.given:
            return ()
        return self._of(who.name).use.left(who.limits, self._now())

    def charge(self, caller: Caller, run: Run) -> None:
        """Charge the end of an answer. Upstream reports no usage of one that was cut, which is not charged."""
        if caller.key_name is None or run.usage is None:
            return
        spent = Spent(run.usage.prompt_tokens + run.usage.output_tokens, run.cost_usd or 0.0)
        name, now = self._of(caller.key_name), self._now()
        name.use.charge(spent, now)
        name.charges += 1
        if self._store:
            self._store.add(caller.key_name, {period_at(period, now): spent for period in PERIODS})

    def _of(self, key: str) -> _Name:
        """The state of a name, of which there are as many as the operator has made."""
        if (found := self._names.get(key)) is None:
            saved = self._store.at_start.get(key, {}) if self._store else {}
            found = self._names[key] = _Name(KeyUse(spent=dict(saved)))
        return found

    async def _read_again(self, key: str, name: _Name) -> None:
        """Take what the store has, if that is due, and if it has everything that was charged here."""
        clock = anyio.current_time()
        if self._store is None or clock - name.read_at < REREAD_SECONDS or not self._store.is_written:
            return
        before, name.read_at = name.charges, clock
        try:
            saved = await self._store.spent(key)
        except LaunchError as error:
            log.error("limits.unread", reason=error.message)
            return
        if before == name.charges:
            name.use.spent.update(saved)
