"""The configuration of each client: the texts to paste, and where. Only here: `connect` prints and writes them,
docs/guide/clients.md shows them, and `make clients` runs them unchanged. The others are from a documentation, which is
named. Pure.

They are for a server with the default settings. They contain no key, only the name of the variable with the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import fill
from typing import Final

ROOT: Final = "http://127.0.0.1:8000"
URL: Final = f"{ROOT}/v1"
"""The address in all texts, which is replaced by the address of another server; some clients add `/v1` themselves."""

ANY: Final = "any"
"""The name of the recipe for a client that we do not know."""

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
    """One text to paste: into a shell, into the client's configuration file (`is_config`), or as a program; or the
    fields of a form in the client's settings (`is_form`).
    """

    where: str
    text: str
    is_config: bool = False
    is_form: bool = False

    @property
    def place(self) -> str:
        """Where it belongs, for people."""
        return "In a shell" if self.where == SHELL else f"In {self.where}"

    @property
    def language(self) -> str:
        """The language for Markdown."""
        if self.is_form:
            return "text"
        return "sh" if self.where == SHELL else LANGUAGES[self.where.rsplit(".", 1)[-1]]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`name` is the argument of `connect`; the parts are pasted in their order. `note` is a remark for the user.

    `source` is the page that the recipe is from, of the client's documentation or `by_others`; without one, `make
    clients` runs it.
    """

    name: str
    title: str
    parts: tuple[Part, ...]
    note: str = ""
    source: str = ""
    by_others: bool = False

    @property
    def checked(self) -> str:
        """How the recipe was checked."""
        if self.name == ANY:
            return ""
        if not self.source:
            return "run here"
        return "from others' documentation" if self.by_others else "from its documentation"

    @property
    def reads_key(self) -> bool:
        """Whether the key comes from the variable, and not from a form."""
        return any(KEY_VARIABLE in part.text for part in self.parts)

    @property
    def config(self) -> Part | None:
        """The part that is the client's configuration file."""
        return next((part for part in self.parts if part.is_config), None)

    def at(self, url: str) -> "Recipe":
        """The recipe for the server at `url`, which ends in `/v1`."""
        root = url.removesuffix("/v1")
        return replace(self, parts=tuple(replace(part, text=part.text.replace(ROOT, root)) for part in self.parts))


def section(recipe: Recipe) -> str:
    """The section of docs/guide/clients.md about `recipe`."""
    text = f"### {recipe.title}: `claude-openai connect {recipe.name}`\n"
    for part in recipe.parts:
        place = part.place if part.is_form or part.where == SHELL else f"`{part.where}`"
        text += f"\n{place}:\n\n```{part.language}\n{part.text}```\n"
    if recipe.note:
        text += f"\n{fill(recipe.note, 120, break_long_words=False, break_on_hyphens=False)}\n"
    return f"{text}\n{recipe.checked.capitalize()}: <{recipe.source}>.\n" if recipe.source else text


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

_KEY_FIELD: Final = "the server's key, or any word if it has none"

_ANY_FORM: Final = f"""\
Base URL: {URL}
API key:  {_KEY_FIELD}
Model:    sonnet
"""

_ANY_SHELL: Final = f"""\
export OPENAI_BASE_URL={URL}
export OPENAI_API_KEY="$CLAUDE_OPENAI_API_KEY"
export OPENAI_MODEL=sonnet
"""

_ELSEWHERE: Final = (
    "In a container or on another machine it cannot reach 127.0.0.1: start the server with an API key and "
    "`--host 0.0.0.0`, and with `--allowed-host NAME` if the address of the client has a name, such as "
    "`host.docker.internal`."
)

_OPEN_WEBUI: Final = f"""\
API URL: {URL}
API Key: {_KEY_FIELD}
"""

_N8N: Final = f"""\
Credential, API Key:   {_KEY_FIELD}
Credential, Base URL:  {URL}
Model:                 sonnet
Use Responses API:     on or off, both work
"""

_LIBRECHAT: Final = """\
endpoints:
  custom:
    - name: "Claude Code"
      apiKey: "${CLAUDE_OPENAI_API_KEY}"
      baseURL: "http://127.0.0.1:8000/v1"
      models:
        default: ["sonnet", "opus", "haiku"]
        fetch: true
      titleConvo: true
      titleModel: "haiku"
      modelDisplayLabel: "Claude"
"""

_ZED: Final = """\
{
  "language_models": {
    "openai_compatible": {
      "claude-openai": {
        "api_url": "http://127.0.0.1:8000/v1",
        "available_models": [
          {
            "name": "sonnet",
            "display_name": "Sonnet (Claude Code)",
            "max_tokens": 200000,
            "max_output_tokens": 32000,
            "capabilities": { "tools": true, "images": true, "parallel_tool_calls": true, "prompt_cache_key": false }
          }
        ]
      }
    }
  }
}
"""

_JETBRAINS: Final = f"""\
Provider: OpenAI-compatible
URL:      {URL}
API Key:  {_KEY_FIELD}
"""

_VSCODE: Final = """\
[
  {
    "name": "Claude Code",
    "vendor": "customendpoint",
    "apiKey": "${input:claudeOpenaiKey}",
    "apiType": "chat-completions",
    "models": [
      {
        "id": "sonnet",
        "name": "Sonnet (Claude Code)",
        "url": "http://127.0.0.1:8000/v1/chat/completions",
        "toolCalling": true,
        "vision": true,
        "maxInputTokens": 168000,
        "maxOutputTokens": 32000
      }
    ]
  }
]
"""

_CLINE: Final = f"""\
API Provider: OpenAI Compatible
Base URL:     {URL}
API Key:      {_KEY_FIELD}
Model ID:     sonnet
"""

_GOOSE: Final = """\
export GOOSE_PROVIDER=openai GOOSE_MODEL=sonnet
export OPENAI_HOST=http://127.0.0.1:8000 OPENAI_API_KEY="$CLAUDE_OPENAI_API_KEY"
"""

_CRUSH: Final = """\
{
  "$schema": "https://charm.land/crush.json",
  "providers": {
    "claude-openai": {
      "name": "Claude Code",
      "type": "openai-compat",
      "base_url": "http://127.0.0.1:8000/v1",
      "api_key": "$CLAUDE_OPENAI_API_KEY",
      "models": [
        {
          "id": "sonnet",
          "name": "Sonnet",
          "context_window": 200000,
          "default_max_tokens": 32000,
          "supports_attachments": true
        }
      ]
    }
  }
}
"""

_OPENCLAW: Final = """\
openclaw config set models.providers.claude-openai '{
  "baseUrl": "http://127.0.0.1:8000/v1",
  "apiKey": "${CLAUDE_OPENAI_API_KEY}",
  "api": "openai-completions",
  "models": [
    { "id": "sonnet", "name": "Sonnet", "input": ["text", "image"], "contextWindow": 200000, "maxTokens": 32000 }
  ]
}' --strict-json --merge
openclaw models set claude-openai/sonnet
"""

_OBSIDIAN: Final = f"""\
Model Name: sonnet
Provider:   3rd Party (OpenAI-Format)
Base URL:   {URL}
API Key:    {_KEY_FIELD}
"""

_HOME_ASSISTANT: Final = f"""\
URL:     {URL}
API key: {_KEY_FIELD}
"""

_CURSOR: Final = f"""\
OpenAI API Key:           the server's key; it must have one, because the address is public
Override OpenAI Base URL: the public HTTPS address of a tunnel to {URL}
Add Custom Model:         sonnet
"""

RECIPES: Final[Mapping[str, Recipe]] = {
    each.name: each
    for each in (
        Recipe(
            ANY,
            "Any client",
            (Part("the client's settings", _ANY_FORM, is_form=True), Part(SHELL, _ANY_SHELL)),
            "Base URL is also called API base or endpoint. A client that wants the whole address gets "
            "`/chat/completions` after it. `GET /v1/models` lists the models.",
        ),
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
            "server has functions only.",
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
            "open-webui",
            "Open WebUI",
            (Part("Admin Settings, Connections, OpenAI, Manage, Add New Connection", _OPEN_WEBUI, is_form=True),),
            f"The models are listed by themselves. {_ELSEWHERE}",
            "https://docs.openwebui.com/getting-started/quick-start/connect-a-provider/starting-with-vllm",
        ),
        Recipe(
            "n8n",
            "n8n",
            (Part("the node OpenAI Chat Model", _N8N, is_form=True),),
            "A version without a Base URL in the credential has it among the options of the node. n8n in the"
            f" cloud cannot reach your machine. {_ELSEWHERE}",
            "https://docs.n8n.io/integrations/builtin/cluster-nodes/sub-nodes/n8n-nodes-langchain.lmchatopenai/",
        ),
        Recipe(
            "librechat",
            "LibreChat",
            (Part("librechat.yaml", _LIBRECHAT),),
            f"The key goes into LibreChat's `.env`. {_ELSEWHERE}",
            "https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/custom_endpoint",
        ),
        Recipe(
            "zed",
            "Zed",
            (Part("~/.config/zed/settings.json", _ZED, is_config=True),),
            "Zed reads the key from `CLAUDE_OPENAI_API_KEY` if it is started in a shell that has it; "
            "otherwise enter it in Settings, AI, LLM Providers.",
            "https://zed.dev/docs/ai/use-api-access#openai-compatible",
        ),
        Recipe(
            "jetbrains",
            "JetBrains IDEs",
            (Part("Settings, Tools, AI Assistant, Models & API Keys", _JETBRAINS, is_form=True),),
            "It is for AI Chat and agents, and needs no JetBrains AI subscription; some features stay with "
            "JetBrains' own service.",
            "https://coder.com/docs/ai-coder/ai-gateway/clients/jetbrains",
            by_others=True,
        ),
        Recipe(
            "vscode",
            "VS Code (Copilot with your own key)",
            (Part("chatLanguageModels.json", _VSCODE),),
            "The command `Chat: Manage Language Models`, Add Models, Custom Endpoint asks for the key and "
            "opens the file. It works in chat and agents, without a GitHub account; titles and commit "
            "messages need the setting `chat.utilityModel`. Inline suggestions and semantic search stay with"
            " Copilot.",
            "https://code.visualstudio.com/docs/agent-customization/language-models",
        ),
        Recipe(
            "cline",
            "Cline",
            (Part("Cline's settings", _CLINE, is_form=True),),
            "",
            "https://docs.cline.bot/provider-config/openai-compatible",
        ),
        Recipe(
            "roo-code",
            "Roo Code",
            (Part("Roo Code's settings", _CLINE.replace("Model ID:     ", "Model:        "), is_form=True),),
            "",
            "https://docs.roocode.com/providers/openai-compatible",
        ),
        Recipe(
            "continue",
            "Continue",
            (
                Part("~/.continue/config.yaml", _CONTINUE, is_config=True),
                Part(SHELL, 'cn --config ~/.continue/config.yaml --print "Say hello"\n'),
            ),
            "The editor extensions read the same file, and the key from `~/.continue/.env`. Run here is the command "
            "`cn`.",
        ),
        Recipe(
            "goose",
            "Goose",
            (Part(SHELL, _GOOSE),),
            "In Goose Desktop the same names are the fields of the provider OpenAI.",
            "https://block.github.io/goose/docs/getting-started/providers",
        ),
        Recipe(
            "crush",
            "Crush",
            (Part("~/.config/crush/crush.json", _CRUSH, is_config=True),),
            "",
            "https://github.com/charmbracelet/crush#openai-compatible-apis",
        ),
        Recipe(
            "openclaw",
            "OpenClaw",
            (Part(SHELL, _OPENCLAW),),
            "The gateway of OpenClaw needs `CLAUDE_OPENAI_API_KEY` in its environment too.",
            "https://docs.openclaw.ai/gateway/config-tools/custom-providers",
        ),
        Recipe(
            "obsidian-copilot",
            "Copilot for Obsidian",
            (Part("Settings, Copilot, Models, a custom model", _OBSIDIAN, is_form=True),),
            "Start the server with `--allowed-origin app://obsidian.md`. With the switch CORS of the form it"
            " works without that, but answers do not stream.",
            "https://github.com/logancyang/obsidian-copilot/blob/master/docs/llm-providers.md",
        ),
        Recipe(
            "home-assistant",
            "Home Assistant",
            (Part("Settings, Devices & services, Add integration, llama.cpp", _HOME_ASSISTANT, is_form=True),),
            "The integration llama.cpp (since 2026.7) is for any such server, while that of OpenAI takes no "
            f"other address. Then choose the model. {_ELSEWHERE}",
            "https://www.home-assistant.io/integrations/llama_cpp/",
        ),
        Recipe(
            "cursor",
            "Cursor",
            (Part("Cursor Settings, Models, API Keys", _CURSOR, is_form=True),),
            "Works: the chat, over an address that the internet reaches, because requests come from Cursor's"
            " own servers; `--allowed-host` must name its host. Does not work: 127.0.0.1 and addresses of "
            "your network, Tab, and names of models with `claude-`, which go to Anthropic. About Agent mode "
            "the documentations disagree. For this machine alone use another client.",
            "https://developers.cloudflare.com/ai-gateway/integrations/coding-agents/cursor/",
            by_others=True,
        ),
    )
}
