"""What the Agents SDK does with a model, whichever API it speaks."""

import asyncio

from agents import Agent, ModelSettings, Runner, function_tool, set_tracing_disabled
from agents.items import ReasoningItem
from agents.models.interface import Model
from driving import ABOUT, WEATHER, Returned, image_url
from openai.types.shared import Reasoning
from pydantic import BaseModel

set_tracing_disabled(disabled=True)

awaited = asyncio.Runner().run
"""A client's connections belong to one loop."""


class Report(BaseModel):
    city: str
    degrees: int


class Running:
    """Each method is a capability."""

    def __init__(self, model: Model) -> None:
        self._agent = Agent("Assistant", model=model)

    def answer(self, prompt: str) -> Returned:
        run = awaited(Runner.run(self._agent, prompt))
        used = run.context_wrapper.usage
        return {"text": run.final_output, "usage": [used.input_tokens, used.output_tokens]}

    def stream(self, prompt: str) -> Returned:
        async def pieces() -> list[str]:
            events = Runner.run_streamed(self._agent, prompt).stream_events()
            raw = [event.data async for event in events if event.type == "raw_response_event"]
            return [event.delta for event in raw if event.type == "response.output_text.delta"]

        return {"pieces": awaited(pieces())}

    usage = answer

    def tools(self, prompt: str) -> Returned:
        called = []

        @function_tool(description_override=ABOUT)
        def get_weather(city: str) -> str:
            called.append(city)
            return WEATHER.format(city=city)

        run = awaited(Runner.run(self._agent.clone(tools=[get_weather]), prompt))
        return {"text": run.final_output, "called": called}

    def conversation(self, prompt: str) -> Returned:
        said, texts = [], []
        for words in prompt.splitlines():
            run = awaited(Runner.run(self._agent, [*said, {"role": "user", "content": words}]))
            said = run.to_input_list()
            texts.append(run.final_output)
        return {"texts": texts}

    def image(self, prompt: str) -> Returned:
        parts = [
            {"type": "input_text", "text": prompt},
            {"type": "input_image", "image_url": image_url(), "detail": "auto"},
        ]
        return {"text": awaited(Runner.run(self._agent, [{"role": "user", "content": parts}])).final_output}

    def schema(self, prompt: str) -> Returned:
        return {"value": awaited(Runner.run(self._agent.clone(output_type=Report), prompt)).final_output.model_dump()}

    def reasoning(self, prompt: str) -> Returned:
        thinking = ModelSettings(reasoning=Reasoning(effort="high", summary="auto"))
        run = awaited(Runner.run(self._agent.clone(model_settings=thinking), prompt))
        items = [item.raw_item for item in run.new_items if isinstance(item, ReasoningItem)]
        return {"reasoning": "".join(part.text for item in items for part in item.summary), "text": run.final_output}
