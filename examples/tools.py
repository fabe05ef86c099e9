"""A tool of your own, called by Claude: start `claude-openai` first, or `claude-openai --simulate`."""

import json
from typing import Any

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")


def get_weather(city: str) -> str:
    return f"21 degrees in {city}"


tools: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city, now.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]

while True:
    answer = client.chat.completions.create(model="sonnet", messages=messages, tools=tools)
    message = answer.choices[0].message
    messages.append(message)
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        if call.type == "function":
            result = get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})

print(message.content)
