"""Large work leaves the event loop to others."""

import gc
import threading
import weakref

import anyio
import anyio.lowlevel
import pytest

from claude_openai.core.messages import (
    LARGE_CHARACTERS,
    AssistantMessage,
    Document,
    Image,
    ImageUrl,
    Message,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    are_large,
)
from claude_openai.core.models import Model
from claude_openai.core.tools import Tool
from claude_openai.core.turn import Turn
from claude_openai.system.tasks import without_traceback
from claude_openai.system.threads import in_thread_if
from tests.patience import PATIENCE_SECONDS

LONG = "x" * LARGE_CHARACTERS

LARGE: dict[str, tuple[Message, ...]] = {
    "instructions": (SystemMessage(LONG),),
    "a text": (UserMessage((Text(LONG),)),),
    "an image": (UserMessage((Image("image/png", LONG),)),),
    "an address": (UserMessage((ImageUrl(LONG),)),),
    "a file": (UserMessage((Document(LONG),)),),
    "an answer": (AssistantMessage(LONG),),
    "arguments": (AssistantMessage("", (ToolCall("call_1", "do", LONG),)),),
    "a result": (ToolMessage("call_1", (Text(LONG),)),),
    "many messages": (UserMessage((Text("x"),)),) * 1000,
    "many blocks": (UserMessage((Text("x"),) * 1000),),
}


@pytest.mark.parametrize("messages", LARGE.values(), ids=LARGE.keys())
def test_messages_are_large_whatever_is_large_in_them(messages: tuple[Message, ...]) -> None:
    assert are_large(messages)
    assert Turn(Model("sonnet"), messages).is_large


def test_a_turn_is_large_with_small_messages_and_large_tools() -> None:
    small = (UserMessage((Text("hi"),)),)
    assert not Turn(Model("sonnet"), small, tools=(Tool("do", "{}"),)).is_large
    assert Turn(Model("sonnet"), small, tools=(Tool("do", LONG + "x"),)).is_large


async def test_others_go_on_beside_large_work() -> None:
    others_went_on = threading.Event()

    async def other() -> None:
        others_went_on.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(other)
        with anyio.fail_after(PATIENCE_SECONDS):
            assert await in_thread_if(True, others_went_on.wait, PATIENCE_SECONDS)


async def test_small_work_is_done_at_once() -> None:
    assert await in_thread_if(False, threading.get_ident) == threading.get_ident()


async def test_no_collection_of_garbage_interrupts_large_work() -> None:
    assert not await in_thread_if(True, gc.isenabled)
    assert gc.isenabled()


class Large:
    def fail(self) -> None:
        raise ValueError


async def test_large_work_that_fails_leaves_nothing_for_the_garbage_collector() -> None:
    large = Large()
    left = weakref.ref(large)
    gc.disable()
    try:
        try:
            await in_thread_if(True, large.fail)
        except ValueError:
            del large
        with anyio.fail_after(PATIENCE_SECONDS):
            while left():  # the thread has its last steps to do
                await anyio.lowlevel.checkpoint()
    finally:
        gc.enable()


async def test_large_work_that_fails_when_nobody_waits_for_it_leaves_nothing_either() -> None:
    begun, go_on = threading.Event(), threading.Event()

    class Waiting:
        def fail(self) -> None:
            begun.set()
            go_on.wait()
            raise ValueError

    large = Waiting()
    left = weakref.ref(large)
    gc.disable()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(without_traceback, in_thread_if, True, large.fail)
            with anyio.fail_after(PATIENCE_SECONDS):
                while not begun.is_set():
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        del large
        go_on.set()
        with anyio.fail_after(PATIENCE_SECONDS):
            while left():
                await anyio.lowlevel.checkpoint()
    finally:
        gc.enable()
