"""Which Claude Code the `claude` command is."""

import shutil

from claude_openai.claude_code.stream_json.bundled import bundled_cli


def installed_cli() -> str:
    """The `claude` on PATH, because this backend is for an SDK and a Claude Code that differ; else the SDK's own."""
    return shutil.which("claude") or str(bundled_cli())
