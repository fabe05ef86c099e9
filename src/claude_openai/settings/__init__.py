"""Every setting of the server, said once: `Settings` is the value, and `--help`, the variables, the settings file and
the tables in the documents all follow from its fields.

Flags beat the environment, which beats the TOML file, which beats the defaults; a list or a table given in one place
replaces the whole one of the next. A wrong value is a `SettingsError` that names the place it came from.

Also here, because nothing else reads the process's environment: `login_environment`, the part of it that Claude Code
gets. Nothing here starts, connects or logs anything.

Plain pydantic and a `ChainMap`: pydantic-settings would read the environment by itself, cannot say which place a
wrong value came from, and was measured to add 50 ms to every start.
"""

from claude_openai.settings.claude_environment import login_environment
from claude_openai.settings.descriptions import Setting
from claude_openai.settings.effective import Effective, effective
from claude_openai.settings.model import Settings, catalogue, doubts
from claude_openai.settings.sources import process_environment
from claude_openai.settings.tables import login_table, table, with_tables
from claude_openai.settings.values import KeyFile, is_loopback

__all__ = [
    "Effective",
    "KeyFile",
    "Setting",
    "Settings",
    "catalogue",
    "doubts",
    "effective",
    "is_loopback",
    "login_environment",
    "login_table",
    "process_environment",
    "table",
    "with_tables",
]
