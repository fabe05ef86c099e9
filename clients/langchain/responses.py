"""LangChain's ChatOpenAI, through the Responses API."""

from driving import drive, methods
from speaking import Thinking

drive(**methods(Thinking(use_responses_api=True, reasoning={"effort": "high", "summary": "auto"})))
