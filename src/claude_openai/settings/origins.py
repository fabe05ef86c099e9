"""The effective settings of a start and the source of each, without secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from claude_openai.settings.model import Settings
from claude_openai.settings.setting import CONFIG, Setting, catalogue
from claude_openai.settings.sources import config_file, read
from claude_openai.settings.values import KeyFile

HIDDEN: Final = "[hidden]"

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class Effective:
    """The effective value of one setting, as plain data; a secret is `HIDDEN`.

    `origin` is a flag, a variable, a name in the settings file, or `DEFAULT`.
    """

    setting: Setting
    value: object
    origin: str

    @property
    def text(self) -> str:
        """The value as in the tables of the documents."""
        as_described = self.origin == DEFAULT and not self.setting.derived
        return self.setting.default if as_described else _text_of(self.value, self.setting)


def effective(flags: Mapping[str, object], environ: Mapping[str, str]) -> tuple[Effective, ...]:
    """Every setting of `Settings.load` with these sources, in the order of the catalogue.

    Raises:
        SettingsError: as `Settings.load`.
    """
    settings = Settings.load(flags, environ)
    found = read(catalogue(), flags, environ)
    origins = {name: item.origin for name, item in found.items()}
    fields = (setting for setting in catalogue() if setting is not CONFIG)
    file = config_file(flags, environ)
    if flags.get(CONFIG.name):
        origin = CONFIG.flag
    else:
        origin = next((name for name in CONFIG.variables if environ.get(name)), "found" if file else DEFAULT)
    return (
        Effective(CONFIG, str(file) if file else None, origin),
        *(Effective(each, _plain(getattr(settings, each.name)), origins.get(each.name, DEFAULT)) for each in fields),
    )


def _plain(value: object) -> object:
    match value:
        case SecretStr():
            return HIDDEN
        case KeyFile(path):
            return str(path)
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case _:
            return value


def _text_of(value: object, setting: Setting) -> str:
    match value:
        case bool():
            return str(value).lower() if setting.metavar else "on" if value else "off"
        case None:
            return "none"
        case Mapping():
            return ", ".join(f"{name}={item}" for name, item in value.items()) or "none"
        case str():
            return value
        case Sequence():
            return ", ".join(map(str, value)) or "none"
        case float():
            return f"{value:g}"
        case _:
            return str(value)
