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

    @property
    def negated_flag(self) -> str:
        """The flag that turns a switch off."""
        return f"--no-{self.flag.removeprefix('--')}"


CONFIG: Final = Setting(
    name="config",
    flag="--config",
    variables=(f"{PREFIX}CONFIG",),
    metavar="FILE",
    repeatable=False,
    default="~/.config/claude-openai/config.toml, if it is there",
    description="TOML file with settings, under the names of the table in docs/reference/settings.md.",
)
"""The only setting that is not a field: it names the file that the fields are read from."""


def described(fields: Mapping[str, FieldInfo]) -> tuple[Setting, ...]:
    """The descriptions of `--config` and of all fields."""
    settings = [CONFIG]
    for name, field in fields.items():
        value = expects(field)
        spelling = next((mark for mark in field.metadata if isinstance(mark, Spelling)), Spelling())
        flag = spelling.flag or "--" + name.replace("_", "-")
        from_flag, from_name = (PREFIX + each.removeprefix("--").replace("-", "_").upper() for each in (flag, name))
        settings.append(
            Setting(
                name=name,
                flag=flag,
                variables=tuple(dict.fromkeys((from_flag, *spelling.also, from_name))),
                metavar=value.metavar,
                repeatable=spelling.repeatable,
                default=spelling.default
                or _text_of_default(field.get_default(call_default_factory=True, validated_data={}), value),
                description=field.description or "",
                derived=spelling.default is not None,
            )
        )
    return tuple(settings)


def expects(field: FieldInfo) -> Expects:
    """How the value of a field is described."""
    return next(mark for mark in field.metadata if isinstance(mark, Expects))


def _text_of_default(default: object, value: Expects) -> str:
    if isinstance(default, bool):
        return str(default).lower() if value.metavar else "on" if default else "off"
    if default in (None, (), {}):
        return value.unset
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    number = f"{default:g}" if isinstance(default, float) else str(default)
    return f"{number} {value.unit}".rstrip()
