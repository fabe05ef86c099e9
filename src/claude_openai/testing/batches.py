"""Events one by one, for tests that need no batches."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from claude_openai.core.events import Event


async def each_event(batches: AsyncIterator[Sequence[Event]]) -> AsyncGenerator[Event, None]:
    """Yield the events of all batches, in order."""
    async for batch in batches:
        for event in batch:
            yield event
