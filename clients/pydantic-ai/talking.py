"""What Pydantic AI does with a model, whichever API it speaks."""

from pathlib import Path
from typing import Any

from driving import ABOUT, WEATHER, Returned
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, ModelResponse, NativeOutput, ThinkingPart
from pydantic_ai.models import Model
from pydantic_ai.settings import ModelSettings


class Report(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


class Talking:
    """Each method is a capability."""

    def __init__(self, model: Model, thinking: ModelSettings) -> None:
        self._model = model
        self._thinking = thinking

    def _agent(self, **more: Any) -> Agent:
        return Agent(self._model, **more)

    def answer(self, prompt: str) -> Returned:
        run = self._agent().run_sync(prompt)
        return {"text": run.output, "usage": [run.usage.input_tokens, run.usage.output_tokens]}

    usage = answer

    def stream(self, prompt: str) -> Returned:
        with self._agent().run_stream_sync(prompt) as run:
            return {"pieces": list(run.stream_text(delta=True, debounce_by=None))}

    def tools(self, prompt: str) -> Returned:
        called = []

        def get_weather(city: str) -> str:
            called.append(city)
            return WEATHER.format(city=city)

        get_weather.__doc__ = ABOUT
        return {"text": self._agent(tools=[get_weather]).run_sync(prompt).output, "called": called}

    def conversation(self, prompt: str) -> Returned:
        texts, said = [], []
        for words in prompt.splitlines():
            run = self._agent().run_sync(words, message_history=said)
            said = run.all_messages()
            texts.append(run.output)
        return {"texts": texts}

    def image(self, prompt: str) -> Returned:
        picture = BinaryContent(Path("square.png").read_bytes(), media_type="image/png")
        return {"text": self._agent().run_sync([prompt, picture]).output}

    def forced(self, prompt: str) -> Returned:
        return {"value": self._agent(output_type=Report).run_sync(prompt).output.model_dump()}

    def schema(self, prompt: str) -> Returned:
        return {"value": self._agent(output_type=NativeOutput(Report)).run_sync(prompt).output.model_dump()}

    def reasoning(self, prompt: str) -> Returned:
        run = self._agent().run_sync(prompt, model_settings=self._thinking)
        parts = [part for message in run.all_messages() if isinstance(message, ModelResponse) for part in message.parts]
        thoughts = [part.content for part in parts if isinstance(part, ThinkingPart)]
        return {"reasoning": "".join(thoughts), "text": run.output}
