"""LangChain's standard tests for a chat model, with ours as the model."""

import os

from langchain_core.language_models import BaseChatModel
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

UNSUITED = (
    "test_image_inputs",  # fetches its picture from the web
    "test_unicode_tool_call_integration",  # wants arguments that only a real model thinks of
)


class TestClaude(ChatModelIntegrationTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, object]:
        return {
            "model": "sonnet",
            "base_url": os.environ["SERVER"],
            "api_key": os.environ["CLAUDE_OPENAI_API_KEY"],
            "stream_usage": True,
            "max_retries": 0,
        }
