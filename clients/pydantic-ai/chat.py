"""Pydantic AI, through Chat Completions."""

from driving import KEY, MODEL, URL, drive, methods
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIChatModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from talking import Talking

model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=URL, api_key=KEY))

drive(**methods(Talking(model, OpenAIChatModelSettings(openai_reasoning_effort="high"))))
