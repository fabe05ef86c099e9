"""OpenAI's Agents SDK, through the Responses API, which it uses if not told otherwise."""

from agents import OpenAIResponsesModel
from driving import KEY, MODEL, URL, drive, methods
from openai import AsyncOpenAI
from running import Running

client = AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)

drive(**methods(Running(OpenAIResponsesModel(MODEL, client))))
