"""The whole server in this process, over the real Claude Code, as the tests of Claude Code have it."""

from tests.claude_code.conftest import serve, upstream

__all__ = ["serve", "upstream"]
