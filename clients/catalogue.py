"""The clients that are tried, in the order in which readers see them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clients.environments import HERE, pinned


@dataclass(frozen=True, slots=True)
class Client:
    """`folder` has its locks and the driver; `recipe` is what `claude-openai connect` calls it."""

    title: str
    folder: str
    driver: str
    package: str
    recipe: str | None = None

    @property
    def name(self) -> str:
        """As it is picked on the command line."""
        stem = Path(self.driver).stem
        return self.folder if stem == "driver" else f"{self.folder}:{stem}"

    @property
    def place(self) -> Path:
        """Its folder."""
        return HERE / self.folder

    @property
    def version(self) -> str:
        """The one that its lock has."""
        return pinned(self.place, self.package)


CLIENTS: Final = (
    Client("openai for Python, Chat Completions", "openai-python", "chat.py", "openai", "openai-python"),
    Client("openai for Python, Responses", "openai-python", "responses.py", "openai"),
    Client("openai for Node, Chat Completions", "openai-node", "chat.mjs", "openai", "openai-node"),
    Client("openai for Node, Responses", "openai-node", "responses.mjs", "openai"),
    Client("Vercel AI SDK, openai-compatible", "ai-sdk", "compatible.mjs", "@ai-sdk/openai-compatible", "ai-sdk"),
    Client("Vercel AI SDK, openai (Responses)", "ai-sdk", "openai.mjs", "@ai-sdk/openai"),
    Client("LangChain ChatOpenAI, Chat Completions", "langchain", "chat.py", "langchain-openai", "langchain"),
    Client("LangChain ChatOpenAI, Responses", "langchain", "responses.py", "langchain-openai"),
    Client("OpenAI Agents SDK, Chat Completions", "agents", "chat.py", "openai-agents"),
    Client("OpenAI Agents SDK, Responses", "agents", "responses.py", "openai-agents", "agents-sdk"),
    Client("Pydantic AI, Chat Completions", "pydantic-ai", "chat.py", "pydantic-ai-slim", "pydantic-ai"),
    Client("Pydantic AI, Responses", "pydantic-ai", "responses.py", "pydantic-ai-slim"),
    Client("Instructor", "instructor", "driver.py", "instructor", "instructor"),
    Client("LiteLLM", "litellm", "driver.py", "litellm", "litellm"),
    Client("llm", "llm", "driver.py", "llm", "llm"),
    Client("OpenCode", "opencode", "driver.py", "opencode-ai", "opencode"),
    Client("Codex CLI", "codex", "driver.py", "@openai/codex", "codex"),
    Client("Qwen Code", "qwen-code", "driver.py", "@qwen-code/qwen-code", "qwen-code"),
    Client("Continue CLI", "continue", "driver.py", "@continuedev/cli", "continue"),
    Client("aider", "aider", "driver.py", "aider-chat", "aider"),
)
