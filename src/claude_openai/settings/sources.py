"""The sources of settings: flags beat the environment, which beats the TOML file.

It does not check values; `values` does.
"""

import tomllib
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from claude_openai.errors import SettingsError
from claude_openai.settings.setting import CONFIG, Setting


@dataclass(frozen=True, slots=True)
class Found:
    """A value with its source: a flag, a variable, or a name in the settings file."""

    origin: str
    value: object


def read(settings: Iterable[Setting], flags: Mapping[str, object], environ: Mapping[str, str]) -> ChainMap[str, Found]:
    """The values that are set, by the name of the setting, as in `flags`.

    Raises:
        SettingsError: the settings file cannot be read.
    """
    fields = [setting for setting in settings if setting is not CONFIG]
    from_flags = {each.name: Found(each.flag, flags[each.name]) for each in fields if each.name in flags}
    # An empty variable counts as absent, as containers and CI write it. The first of several variables wins.
    from_environment = {
        each.name: Found(variable, environ[variable])
        for each in fields
        for variable in reversed(each.variables)
        if environ.get(variable)
    }
    path = config_file(flags, environ)
    try:
        table = tomllib.loads(path.read_text("utf-8-sig")) if path else {}
    except OSError as error:
        raise SettingsError(f"cannot read the settings file {path}: {error.strerror}") from None
    except ValueError as error:
        raise SettingsError(f"the settings file {path} is not valid TOML: {error}") from None
    from_file = {name: Found(f"{name} in {path}", value) for name, value in table.items()}
    return ChainMap(from_flags, from_environment, from_file)


def config_file(flags: Mapping[str, object], environ: Mapping[str, str]) -> Path | None:
    """The settings file: the named one, which must exist, or the default one, if it exists."""
    named = flags.get(CONFIG.name) or environ.get(CONFIG.variables[0])
    if named:
        return Path(str(named)).expanduser()
    home = environ.get("HOME") or environ.get("USERPROFILE")
    folder = Path(environ.get("XDG_CONFIG_HOME", ""))
    if not folder.is_absolute():  # the XDG specification says to ignore it then
        if not home:
            return None
        folder = Path(home, ".config")
    usual = folder / "claude-openai" / "config.toml"
    return usual if usual.is_file() else None
