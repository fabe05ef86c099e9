"""Pydantic AI, through the Responses API."""

from driving import KEY, MODEL, URL, drive, methods
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from talking import Talking

model = OpenAIResponsesModel(MODEL, provider=OpenAIProvider(base_url=URL, api_key=KEY))
thinking = OpenAIResponsesModelSettings(openai_reasoning_effort="high", openai_reasoning_summary="auto")

drive(**methods(Talking(model, thinking)))
