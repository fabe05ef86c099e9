"""The configuration of each client: the texts to paste, and where. Only here: `connect` prints and writes them,
docs/guide/clients.md shows them, and `make clients` runs them unchanged. Pure.

They are for a server with the default settings. They contain no key, only the name of the variable with the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

URL: Final = "http://127.0.0.1:8000/v1"
"""The address in all texts, which is replaced by the address of another server."""

KEY_VARIABLE: Final = "CLAUDE_OPENAI_API_KEY"

SHELL: Final = "a shell"

LANGUAGES: Final[Mapping[str, str]] = {
    "py": "python",
    "mjs": "js",
    "json": "json",
    "toml": "toml",
    "yml": "yaml",
    "yaml": "yaml",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One text to paste: into a shell, into the client's configuration file (`is_config`), or as a program."""

    where: str
    text: str
    is_config: bool = False

    @property
    def language(self) -> str:
        """The language for Markdown."""
        return "sh" if self.where == SHELL else LANGUAGES[self.where.rsplit(".", 1)[-1]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`name` is the argument of `connect`; the parts are pasted in their order. `note` is a remark for the user."""

    name: str
    title: str
    parts: tuple[Part, ...]
    note: str = ""

    @property
    def config(self) -> Part | None:
        """The part that is the client's configuration file."""
        return next((part for part in self.parts if part.is_config), None)

    def at(self, url: str) -> "Recipe":
        """The recipe for the server at `url`, which ends in `/v1`."""
        return replace(self, parts=tuple(replace(part, text=part.text.replace(URL, url)) for part in self.parts))


def section(recipe: Recipe) -> str:
    """The section of docs/guide/clients.md about `recipe`."""
    text = f"### {recipe.title}: `claude-openai connect {recipe.name}`\n"
    for part in recipe.parts:
        place = "In a shell" if part.where == SHELL else f"`{part.where}`"
        text += f"\n{place}:\n\n```{part.language}\n{part.text}```\n"
    return f"{text}\n{recipe.note}\n" if recipe.note else text


def page() -> str:
    """The sections of all recipes."""
    return "\n".join(section(recipe) for recipe in RECIPES.values())


_OPENAI_PYTHON: Final = """\
import os

from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["CLAUDE_OPENAI_API_KEY"])
answer = client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": "Say hello"}])
print(answer.choices[0].message.content)
"""

_OPENAI_NODE: Final = """\
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://127.0.0.1:8000/v1", apiKey: process.env.CLAUDE_OPENAI_API_KEY });
const answer = await client.chat.completions.create({
  model: "sonnet",
  messages: [{ role: "user", content: "Say hello" }],
});
console.log(answer.choices[0].message.content);
"""

_AI_SDK: Final = """\
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText } from "ai";

const claude = createOpenAICompatible({
  name: "claude",
  baseURL: "http://127.0.0.1:8000/v1",
  apiKey: process.env.CLAUDE_OPENAI_API_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const { text } = await generateText({ model: claude("sonnet"), prompt: "Say hello" });
console.log(text);
"""

_LANGCHAIN: Final = """\
import os

from langchain_openai import ChatOpenAI

model = ChatOpenAI(
    model="sonnet", base_url="http://127.0.0.1:8000/v1", api_key=os.environ["CLAUDE_OPENAI_API_KEY"], stream_usage=True
)
print(model.invoke("Say hello").text)
"""

_AGENTS: Final = """\
import os

from agents import Agent, OpenAIResponsesModel, Runner, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)  # traces would go to OpenAI
client = AsyncOpenAI(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["CLAUDE_OPENAI_API_KEY"])
agent = Agent("Assistant", model=OpenAIResponsesModel("sonnet", client))
print(Runner.run_sync(agent, "Say hello").final_output)
"""

_PYDANTIC_AI: Final = """\
import os

from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

server = OpenAIProvider(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["CLAUDE_OPENAI_API_KEY"])
agent = Agent(OpenAIChatModel("sonnet", provider=server))
print(agent.run_sync("Say hello").output)
"""

_INSTRUCTOR: Final = """\
import os

import instructor
from openai import OpenAI

client = OpenAI(base_url="http://127.0.0.1:8000/v1", api_key=os.environ["CLAUDE_OPENAI_API_KEY"])
answer = instructor.from_openai(client).create(
    model="sonnet", messages=[{"role": "user", "content": "Say hello"}], response_model=None
)
print(answer.choices[0].message.content)
"""

_LITELLM: Final = """\
import os

from litellm import completion

answer = completion(
    model="openai/sonnet",
    api_base="http://127.0.0.1:8000/v1",
    api_key=os.environ["CLAUDE_OPENAI_API_KEY"],
    messages=[{"role": "user", "content": "Say hello"}],
)
print(answer.choices[0].message.content)
"""

_LLM_MODELS: Final = """\
- model_id: claude-sonnet
  model_name: sonnet
  api_base: http://127.0.0.1:8000/v1
  api_key_name: claude-openai
  vision: true
  supports_tools: true
  supports_schema: true
"""

_LLM: Final = """\
llm keys set claude-openai --value "$CLAUDE_OPENAI_API_KEY"
llm -m claude-sonnet "Say hello"
"""

_OPENCODE: Final = """\
{
  "$schema": "https://opencode.ai/config.json",
  "provider": {
    "claude-openai": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Claude Code",
      "options": {
        "baseURL": "http://127.0.0.1:8000/v1",
        "apiKey": "{env:CLAUDE_OPENAI_API_KEY}"
      },
      "models": {
        "sonnet": { "name": "Sonnet" },
        "opus": { "name": "Opus" },
        "haiku": { "name": "Haiku" }
      }
    }
  }
}
"""

_CODEX: Final = """\
model = "sonnet"
model_provider = "claude-openai"
web_search = "disabled"

[agents]
enabled = false

[model_providers.claude-openai]
name = "Claude Code"
base_url = "http://127.0.0.1:8000/v1"
env_key = "CLAUDE_OPENAI_API_KEY"
wire_api = "responses"
"""

_AIDER: Final = """\
model: openai/sonnet
openai-api-base: http://127.0.0.1:8000/v1
show-model-warnings: false
"""

_AIDER_SHELL: Final = """\
export OPENAI_API_KEY="$CLAUDE_OPENAI_API_KEY"
aider --message "Say hello"
"""

_QWEN: Final = """\
{
  "modelProviders": {
    "openai": [
      {
        "id": "sonnet",
        "name": "Claude Code",
        "baseUrl": "http://127.0.0.1:8000/v1",
        "envKey": "CLAUDE_OPENAI_API_KEY"
      }
    ]
  },
  "security": { "auth": { "selectedType": "openai" } },
  "model": { "name": "sonnet" }
}
"""

_CONTINUE: Final = """\
name: Claude Code
version: 1.0.0
schema: v1
models:
  - name: Claude Code
    provider: openai
    model: sonnet
    apiBase: http://127.0.0.1:8000/v1
    apiKey: ${{ secrets.CLAUDE_OPENAI_API_KEY }}
    roles: [chat, edit, apply]
"""

RECIPES: Final[Mapping[str, Recipe]] = {
    each.name: each
    for each in (
        Recipe("openai-python", "openai for Python", (Part("hello.py", _OPENAI_PYTHON),)),
        Recipe("openai-node", "openai for Node", (Part("hello.mjs", _OPENAI_NODE),)),
        Recipe("ai-sdk", "Vercel AI SDK", (Part("hello.mjs", _AI_SDK),)),
        Recipe("langchain", "LangChain", (Part("hello.py", _LANGCHAIN),)),
        Recipe("agents-sdk", "OpenAI Agents SDK", (Part("hello.py", _AGENTS),)),
        Recipe("pydantic-ai", "Pydantic AI", (Part("hello.py", _PYDANTIC_AI),)),
        Recipe("instructor", "Instructor", (Part("hello.py", _INSTRUCTOR),)),
        Recipe("litellm", "LiteLLM", (Part("hello.py", _LITELLM),)),
        Recipe(
            "llm",
            "llm",
            (
                Part("~/.config/io.datasette.llm/extra-openai-models.yaml", _LLM_MODELS, is_config=True),
                Part(SHELL, _LLM),
            ),
            "On macOS and Windows the file is in the folder that `llm logs path` names.",
        ),
        Recipe(
            "opencode",
            "OpenCode",
            (
                Part("~/.config/opencode/opencode.json", _OPENCODE, is_config=True),
                Part(SHELL, 'opencode run -m claude-openai/sonnet "Say hello"\n'),
            ),
        ),
        Recipe(
            "codex",
            "Codex CLI",
            (
                Part("~/.codex/claude.config.toml", _CODEX, is_config=True),
                Part(SHELL, 'codex exec --profile claude "Say hello"\n'),
            ),
            "It is a profile of its own; your `config.toml` stays as it is. Agents and web search are off because the "
            "server has\nfunctions only.",
        ),
        Recipe(
            "qwen-code",
            "Qwen Code",
            (
                Part("~/.qwen/settings.json", _QWEN, is_config=True),
                Part(SHELL, 'qwen --auth-type openai --model sonnet --prompt "Say hello"\n'),
            ),
        ),
        Recipe(
            "aider",
            "aider",
            (Part("~/.aider.conf.yml", _AIDER, is_config=True), Part(SHELL, _AIDER_SHELL)),
        ),
        Recipe(
            "continue",
            "Continue",
            (Part("~/.continue/config.yaml", _CONTINUE, is_config=True),),
            "The key goes into `~/.continue/.env`. It is the one client here that `make clients` does not try: "
            "it lives in an\neditor.",
        ),
    )
}
