"""OpenAI's Agents SDK, through Chat Completions."""

from agents import OpenAIChatCompletionsModel
from driving import KEY, MODEL, URL, drive, methods
from openai import AsyncOpenAI
from running import Running

client = AsyncOpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)

drive(**methods(Running(OpenAIChatCompletionsModel(MODEL, client))))
