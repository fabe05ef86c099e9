"""The official `openai` client: it costs its user some milliseconds more than the plain reader of `asking`, to which
the Messages API is read alike, and is therefore a case of its own.
"""

from typing import cast

import openai
from openai.types.chat import ChatCompletionMessageParam

from benchmarks.asking import END, Answer
from benchmarks.model import MODEL
from claude_openai.simulator import JsonObject


async def by_the_openai_client(client: openai.AsyncOpenAI, messages: list[JsonObject], prompt: str) -> Answer:
    """Go on with `messages`, which get the prompt and the answer."""
    messages.append({"role": "user", "content": prompt})
    chunks = await client.chat.completions.create(
        model=MODEL, messages=cast("list[ChatCompletionMessageParam]", messages), stream=True
    )
    said = ""
    async with chunks:
        async for chunk in chunks:
            if text := chunk.choices[0].delta.content:
                said += text
                yield text
    messages.append({"role": "assistant", "content": said})
    yield END
