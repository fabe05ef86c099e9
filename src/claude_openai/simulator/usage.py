"""Counts tokens and simulates the prompt cache, so that usage is exact and repeatable, with cache hits like upstream's.

A token is a word or a punctuation mark. A prompt is a sequence of blocks: tools, then system, then messages.
A block with `cache_control` stores the prefix that ends with it; a later request to the same model reads the longest
stored prefix that ends before one of its own marks. Upstream's minimum length and expiry are left out, so that a test
sees a hit without a long prompt and without a clock.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from claude_openai.simulator.recorded import JsonObject, blocks
from claude_openai.simulator.script import Reply, Thinking, ToolUse

IMAGE_TOKENS = 1_000
"""Tokens of each image or binary document, whatever its size in pixels or pages."""

BILLING_NOTE = "x-anthropic-billing-header:"
"""The beginning of a system block that Claude Code adds for upstream's accounting; the model never sees it."""

_TOKEN = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class PromptTokens:
    """A prompt's tokens by their price; the three add up to its length."""

    uncached: int
    written: int
    read: int
    ttl: str = "5m"
    """How long the written prefix lives, as the last mark says: 5m or 1h."""


@dataclass(frozen=True)
class _PromptBlock:
    canonical: str
    tokens: int
    mark: JsonObject | None
    """Its `cache_control`."""


class PromptCache:
    """The prefixes that are stored for each model."""

    def __init__(self) -> None:
        self._stored: set[bytes] = set()

    def account(self, body: JsonObject) -> PromptTokens:
        """Count the tokens of this prompt, and store its marked prefixes for the next one."""
        total = read = marked_up_to = 0
        ttl = "5m"
        prefix = hashlib.sha256(str(body.get("model")).encode())
        stored: set[bytes] = set()
        for block in _prompt(body):
            prefix.update(block.canonical.encode("utf-8", "surrogatepass") + b"\0")
            total += block.tokens
            if block.mark:
                ttl = block.mark.get("ttl", "5m")
                marked_up_to = total
                stored.add(prefix.digest())
            if prefix.digest() in self._stored:
                read = total
        self._stored |= stored
        read = min(read, marked_up_to)
        return PromptTokens(uncached=total - marked_up_to, written=marked_up_to - read, read=read, ttl=ttl)


def usage(prompt: PromptTokens, reply: Reply) -> JsonObject:
    """The usage object that ends a reply."""
    thinking = sum(count(block.text) for block in reply.blocks if isinstance(block, Thinking))
    return {
        "input_tokens": prompt.uncached,
        "cache_creation_input_tokens": prompt.written,
        "cache_read_input_tokens": prompt.read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": prompt.written if prompt.ttl == "5m" else 0,
            "ephemeral_1h_input_tokens": prompt.written if prompt.ttl == "1h" else 0,
        },
        "output_tokens": output_tokens(reply),
        "output_tokens_details": {"thinking_tokens": thinking},
        "service_tier": "standard",
    }


def output_tokens(reply: Reply) -> int:
    names = sum(count(block.name) for block in reply.blocks if isinstance(block, ToolUse))
    return names + sum(count(block.text) for block in reply.blocks)


def prompt_tokens(body: JsonObject) -> int:
    return sum(block.tokens for block in _prompt(body))


def count(text: str) -> int:
    return _TOKEN.subn("", text)[1]


def token_ends(text: str) -> Iterator[int]:
    """The end of each token in the text."""
    return (token.end() for token in _TOKEN.finditer(text))


def _prompt(body: JsonObject) -> Iterator[_PromptBlock]:
    placed: list[tuple[object, JsonObject]] = [("tool", tool) for tool in body.get("tools") or []]
    system = blocks(body.get("system"))
    placed += [("system", block) for block in system if not str(block.get("text")).startswith(BILLING_NOTE)]
    for message in body.get("messages") or []:
        placed += [(message.get("role"), block) for block in blocks(message.get("content"))]
    for place, block in placed:
        bare = {key: value for key, value in block.items() if key != "cache_control"}
        canonical = json.dumps([place, bare], sort_keys=True, ensure_ascii=False)
        yield _PromptBlock(canonical, _block_tokens(bare), block.get("cache_control"))


def _block_tokens(block: JsonObject) -> int:
    """Count a text as it is, base64 data with a flat number, and any other structure as its JSON."""
    match block:
        case {"type": "text", "text": str(text)}:
            return count(text)
        case {"type": "image"} | {"type": "document", "source": {"type": "base64"}}:
            return IMAGE_TOKENS
        case {"type": "tool_result", "content": content}:
            return sum(_block_tokens(part) for part in blocks(content))
        case _:
            return count(json.dumps(block, ensure_ascii=False))
