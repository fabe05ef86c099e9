"""An unmodified OpenAI client, answered by Claude Code: start `claude-openai` first, or `claude-openai --simulate`."""

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key="none")  # a key only matters if the server asks for one

stream = client.chat.completions.create(
    model="sonnet",
    messages=[{"role": "user", "content": "Say hello in three languages."}],
    stream=True,
)
for chunk in stream:
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()
