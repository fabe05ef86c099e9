"""What LangChain does with a chat model, whichever API it speaks."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from driving import ABOUT, KEY, MODEL, URL, WEATHER, Returned, image_url
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from suite import UNSUITED


class Report(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


@tool(description=ABOUT)
def get_weather(city: str) -> str:
    return WEATHER.format(city=city)


SUITE = str(Path(__file__).with_name("suite.py"))
LOOP = [f"--override-ini=asyncio_default_{what}_loop_scope=session" for what in ("fixture", "test")]


class Speaking:
    """Each method is a capability."""

    def __init__(self, **more: Any) -> None:
        self._model = ChatOpenAI(
            model=MODEL, base_url=URL, api_key=KEY, max_retries=0, timeout=30, stream_usage=True, **more
        )

    def answer(self, prompt: str) -> Returned:
        message = self._model.invoke(prompt)
        return {"text": message.text, "usage": _counted(message)}

    def stream(self, prompt: str) -> Returned:
        chunks = list(self._model.stream(prompt))
        whole = sum(chunks[1:], chunks[0])
        return {"pieces": [chunk.text for chunk in chunks if chunk.text], "usage": _counted(whole)}

    usage = stream

    def tools(self, prompt: str) -> Returned:
        able = self._model.bind_tools([get_weather])
        said: list[BaseMessage] = [HumanMessage(prompt)]
        said.append(first := able.invoke(said))
        said += [ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in first.tool_calls]
        return {"called": [call["args"]["city"] for call in first.tool_calls], "text": able.invoke(said).text}

    def conversation(self, prompt: str) -> Returned:
        said: list[BaseMessage] = []
        for words in prompt.splitlines():
            said.append(HumanMessage(words))
            said.append(self._model.invoke(said))
        return {"texts": [message.text for message in said if isinstance(message, AIMessage)]}

    def image(self, prompt: str) -> Returned:
        parts = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": image_url()}}]
        return {"text": self._model.invoke([HumanMessage(parts)]).text}

    def forced(self, prompt: str) -> Returned:
        return self._report(prompt, "function_calling")

    def schema(self, prompt: str) -> Returned:
        return self._report(prompt, "json_schema")

    def _report(self, prompt: str, method: str) -> Returned:
        return {"value": self._model.with_structured_output(Report, method=method).invoke(prompt).model_dump()}


class Thinking(Speaking):
    """What the Responses API has besides."""

    def reasoning(self, prompt: str) -> Returned:
        message = self._model.invoke(prompt)
        thoughts = [block.get("reasoning", "") for block in message.content_blocks if block["type"] == "reasoning"]
        return {"reasoning": "".join(thoughts), "text": message.text}


def standard_tests(_: str) -> Returned:
    """LangChain's suite in a process of its own, as pytest runs it. All of it shares one loop, as its client does."""
    options = ["-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "--quiet", "-rfE", "--tb=line"]
    options += ["--asyncio-mode=auto", *LOOP, "-k", f"not ({' or '.join(UNSUITED)})"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, SUITE],
        env={**os.environ, "SERVER": URL},
        capture_output=True,
        text=True,
        timeout=85,
        check=False,
    )
    print(done.stdout, done.stderr, file=sys.stderr)
    passed = re.search(r"(\d+) passed", done.stdout)
    failed = re.findall(r"^(?:FAILED|ERROR) \S*::(\S+)", done.stdout, re.MULTILINE)
    return {"passed": int(passed[1]) if passed else 0, "failed": failed}


def _counted(message: AIMessage) -> list[int]:
    return [message.usage_metadata["input_tokens"], message.usage_metadata["output_tokens"]]
