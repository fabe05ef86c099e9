"""The official package for Python, through the Responses API."""

import json

from driving import ABOUT, CITY, KEY, MODEL, URL, WEATHER, Returned, drive, image_url
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI(base_url=URL, api_key=KEY, max_retries=0, timeout=30)


class Report(BaseModel):
    city: str
    degrees: int


def answer(prompt: str) -> Returned:
    answer = client.responses.create(model=MODEL, input=prompt)
    usage = answer.usage
    return {
        "text": answer.output_text,
        "usage": [usage.input_tokens, usage.output_tokens],
    }


def stream(prompt: str) -> Returned:
    with client.responses.stream(model=MODEL, input=prompt) as events:
        pieces = [event.delta for event in events if event.type == "response.output_text.delta"]
        usage = events.get_final_response().usage
    return {
        "pieces": pieces,
        "usage": [usage.input_tokens, usage.output_tokens],
    }


def tools(prompt: str) -> Returned:
    offered = [{"type": "function", "name": "get_weather", "description": ABOUT, "parameters": CITY, "strict": False}]
    first = client.responses.create(model=MODEL, input=prompt, tools=offered)
    calls = [item for item in first.output if item.type == "function_call"]
    cities = [json.loads(call.arguments)["city"] for call in calls]
    results = [
        {"type": "function_call_output", "call_id": call.call_id, "output": WEATHER.format(city=city)}
        for call, city in zip(calls, cities, strict=True)
    ]
    last = client.responses.create(model=MODEL, previous_response_id=first.id, input=results, tools=offered)
    return {"called": cities, "text": last.output_text}


def conversation(prompt: str) -> Returned:
    before, texts = None, []
    for words in prompt.splitlines():
        answer = client.responses.create(model=MODEL, input=words, previous_response_id=before)
        before = answer.id
        texts.append(answer.output_text)
    return {"texts": texts}


def image(prompt: str) -> Returned:
    content = [
        {"type": "input_text", "text": prompt},
        {"type": "input_image", "image_url": image_url(), "detail": "auto"},
    ]
    answer = client.responses.create(model=MODEL, input=[{"role": "user", "content": content}])
    return {"text": answer.output_text}


def schema(prompt: str) -> Returned:
    answer = client.responses.parse(model=MODEL, input=prompt, text_format=Report)
    return {"value": answer.output_parsed.model_dump()}


def reasoning(prompt: str) -> Returned:
    answer = client.responses.create(model=MODEL, input=prompt, reasoning={"effort": "high", "summary": "auto"})
    thoughts = [part.text for item in answer.output if item.type == "reasoning" for part in item.summary]
    return {"reasoning": "".join(thoughts), "text": answer.output_text}


drive(
    answer=answer,
    stream=stream,
    usage=stream,
    tools=tools,
    conversation=conversation,
    image=image,
    schema=schema,
    reasoning=reasoning,
)
