"""The description of each setting: its flag, its variables, and its line in `--help` and in the documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic.fields import FieldInfo

from claude_openai.settings.values import Expects, Spelling

PREFIX: Final = "CLAUDE_OPENAI_"


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of `--help` and of the tables. A switch has no metavar, and the first of several variables wins.

    `derived`: the default depends on the machine or on other settings, and `default` describes it.
    """

    name: str
    flag: str
    variables: tuple[str, ...]
    metavar: str
    repeatable: bool
    default: str
    description: str
    derived: bool = False


CONFIG: Final = Setting(
    name="config",
    flag="--config",
    variables=(f"{PREFIX}CONFIG",),
    metavar="FILE",
    repeatable=False,
    default="~/.config/claude-openai/config.toml, if it is there",
    description="TOML file with settings, under the names of the table in docs/settings.md.",
)
"""The only setting that is not a field: it names the file that the fields are read from."""


def described(fields: Mapping[str, FieldInfo]) -> tuple[Setting, ...]:
    return (CONFIG, *(_setting(name, field) for name, field in fields.items()))


def expects(field: FieldInfo) -> Expects:
    return next(mark for mark in field.metadata if isinstance(mark, Expects))


def _setting(name: str, field: FieldInfo) -> Setting:
    value, spelling = expects(field), _spelling(field)
    flag = spelling.flag or _as_flag(name)
    from_flag, from_name = (PREFIX + _as_variable(each) for each in (flag, name))
    return Setting(
        name=name,
        flag=flag,
        variables=tuple(dict.fromkeys((from_flag, *spelling.also, from_name))),
        metavar=value.metavar,
        repeatable=spelling.repeatable,
        default=spelling.default or _shown(field.get_default(call_default_factory=True, validated_data={}), value),
        description=field.description or "",
        derived=spelling.default is not None,
    )


def _spelling(field: FieldInfo) -> Spelling:
    return next((mark for mark in field.metadata if isinstance(mark, Spelling)), Spelling())


def _as_flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _as_variable(name: str) -> str:
    return name.removeprefix("--").replace("-", "_").upper()


def _shown(default: object, value: Expects) -> str:
    if isinstance(default, bool):
        return str(default).lower() if value.metavar else "on" if default else "off"
    if default in (None, (), {}):
        return value.unset
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    number = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{number} {value.unit}".rstrip()
