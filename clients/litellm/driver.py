"""LiteLLM as a client: its `openai/` models with another address."""

import json

import litellm
from driving import ABOUT, CITY, KEY, MODEL, URL, WEATHER, Returned, drive, image_url
from pydantic import BaseModel


class Report(BaseModel):
    city: str
    degrees: int


def complete(messages: list, **more):
    return litellm.completion(
        model=f"openai/{MODEL}", api_base=URL, api_key=KEY, messages=messages, max_retries=0, timeout=30, **more
    )


def asked(prompt) -> list:
    return [{"role": "user", "content": prompt}]


def answer(prompt: str) -> Returned:
    answer = complete(asked(prompt))
    return {
        "text": answer.choices[0].message.content,
        "usage": [answer.usage.prompt_tokens, answer.usage.completion_tokens],
    }


def stream(prompt: str) -> Returned:
    chunks = list(complete(asked(prompt), stream=True))
    return {"pieces": [chunk.choices[0].delta.content for chunk in chunks if chunk.choices[0].delta.content]}


def tools(prompt: str) -> Returned:
    offered = [{"type": "function", "function": {"name": "get_weather", "description": ABOUT, "parameters": CITY}}]
    messages = asked(prompt)
    messages.append(first := complete(messages, tools=offered).choices[0].message)
    cities = [json.loads(call.function.arguments)["city"] for call in first.tool_calls]
    for call, city in zip(first.tool_calls, cities, strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": WEATHER.format(city=city)})
    return {"called": cities, "text": complete(messages, tools=offered).choices[0].message.content}


def conversation(prompt: str) -> Returned:
    messages = []
    for words in prompt.splitlines():
        messages += asked(words)
        messages.append(complete(messages).choices[0].message)
    return {"texts": [message.content for message in messages[1::2]]}


def image(prompt: str) -> Returned:
    parts = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": image_url()}}]
    return {"text": complete(asked(parts)).choices[0].message.content}


def schema(prompt: str) -> Returned:
    return {"value": json.loads(complete(asked(prompt), response_format=Report).choices[0].message.content)}


def reasoning(prompt: str) -> Returned:
    message = complete(asked(prompt), reasoning_effort="high", allowed_openai_params=["reasoning_effort"])
    message = message.choices[0].message
    return {"reasoning": getattr(message, "reasoning_content", None), "text": message.content}


drive(
    answer=answer,
    stream=stream,
    usage=answer,
    tools=tools,
    conversation=conversation,
    image=image,
    schema=schema,
    reasoning=reasoning,
)
