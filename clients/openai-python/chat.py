"""The official package for Python, through Chat Completions."""

import json

from driving import ABOUT, CITY, KEY, MODEL, URL, WEATHER, Returned, drive, image_url
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)


class Report(BaseModel):
    city: str
    degrees: int


def models(_: str) -> Returned:
    return {"models": [model.id for model in client.models.list()]}


def said(prompt: str, **more):
    return client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}], **more)


def answer(prompt: str) -> Returned:
    answer = said(prompt)
    usage = answer.usage
    return {
        "text": answer.choices[0].message.content,
        "usage": [usage.prompt_tokens, usage.completion_tokens],
    }


def stream(prompt: str) -> Returned:
    chunks = list(said(prompt, stream=True, stream_options={"include_usage": True}))
    usage = chunks[-1].usage
    return {
        "pieces": [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content],
        "usage": [usage.prompt_tokens, usage.completion_tokens],
    }


def tools(prompt: str) -> Returned:
    tools = [{"type": "function", "function": {"name": "get_weather", "description": ABOUT, "parameters": CITY}}]
    messages = [{"role": "user", "content": prompt}]
    answer = client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0]
    cities = [json.loads(call.function.arguments)["city"] for call in answer.message.tool_calls]
    messages.append(answer.message)
    for call, city in zip(answer.message.tool_calls, cities, strict=True):
        messages.append({"role": "tool", "tool_call_id": call.id, "content": WEATHER.format(city=city)})
    last = client.chat.completions.create(model=MODEL, messages=messages, tools=tools).choices[0]
    return {"called": cities, "text": last.message.content}


def conversation(prompt: str) -> Returned:
    messages, texts = [], []
    for words in prompt.splitlines():
        messages.append({"role": "user", "content": words})
        answer = client.chat.completions.create(model=MODEL, messages=messages).choices[0].message
        messages.append(answer)
        texts.append(answer.content)
    return {"texts": texts}


def image(prompt: str) -> Returned:
    content = [{"type": "text", "text": prompt}, {"type": "image_url", "image_url": {"url": image_url()}}]
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": content}])
    return {"text": answer.choices[0].message.content}


def schema(prompt: str) -> Returned:
    answer = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": prompt}], response_format=Report
    )
    return {"value": answer.choices[0].message.parsed.model_dump()}


def reasoning(prompt: str) -> Returned:
    message = said(prompt, reasoning_effort="high").choices[0].message
    return {"reasoning": message.model_extra.get("reasoning_content"), "text": message.content}


drive(
    models=models,
    answer=answer,
    stream=stream,
    usage=answer,
    tools=tools,
    conversation=conversation,
    image=image,
    schema=schema,
    reasoning=reasoning,
)
