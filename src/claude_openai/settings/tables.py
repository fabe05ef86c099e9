"""Generates the tables in the documents from the settings."""

from collections.abc import Iterable, Sequence

from claude_openai.settings.claude_environment import PASSED
from claude_openai.settings.setting import CONFIG, catalogue


def table() -> str:
    """A Markdown table of all settings."""
    return _markdown(
        ("Flag", "Environment", "In the file", "Default", "Meaning"),
        (
            (
                _code(f"{setting.flag} {setting.metavar}".rstrip()),
                ", ".join(map(_code, setting.variables)),
                "" if setting is CONFIG else _code(setting.name),
                setting.default,
                setting.description,
            )
            for setting in catalogue()
        ),
    )


def login_table() -> str:
    """A Markdown table of all variables that Claude Code gets."""
    return _markdown(("For", "Variables"), ((group.reason, ", ".join(map(_code, group.listed()))) for group in PASSED))


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ([cell.replace("|", r"\|") for cell in cells] for cells in (head, ["---"] * len(head), *rows))
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _code(text: str) -> str:
    return f"`{text}`"
