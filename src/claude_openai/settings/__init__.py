"""The settings of the server. `Settings` defines each once: `--help`, the variables, the names in the settings file and
the tables in the documents are generated from its fields.

Flags beat the environment, which beats the TOML file, which beats the defaults; a list or a table
replaces the whole list or table of a weaker source. A wrong value raises a `SettingsError` that names its source.

`login_environment`, the part of the environment that Claude Code gets, is here too, because no other package reads the
environment. Nothing here starts processes, opens connections or logs.

Each name is loaded when it is first used: pydantic takes 0.2 seconds of the processor (measured), which `status` and
the environment of this process need not wait for.

We use plain pydantic and a `ChainMap`: pydantic-settings reads the environment itself, does not report the source of a
wrong value, and adds 50 ms to every start (measured).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from claude_openai.settings.claude_environment import login_environment
    from claude_openai.settings.environment import process_environment
    from claude_openai.settings.model import Settings, doubts
    from claude_openai.settings.origins import Effective, effective
    from claude_openai.settings.setting import Setting, catalogue
    from claude_openai.settings.tables import login_table, table
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
]

_MODULES: Final = {
    "Effective": "origins",
    "KeyFile": "values",
    "Setting": "setting",
    "Settings": "model",
    "catalogue": "setting",
    "doubts": "model",
    "effective": "origins",
    "is_loopback": "values",
    "login_environment": "claude_environment",
    "login_table": "tables",
    "process_environment": "environment",
    "table": "tables",
}
"""The module of each name."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
