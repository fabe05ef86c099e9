"""LangChain's ChatOpenAI, through Chat Completions, and the standard tests that LangChain has for chat models."""

from driving import drive, methods
from speaking import Speaking, standard_tests

drive(**methods(Speaking(use_responses_api=False)), suite=standard_tests)
