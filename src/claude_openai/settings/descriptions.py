"""Describes the fields of `Settings`: their flags, their variables, and their lines in `--help` and the documents."""

from collections.abc import Mapping

from pydantic.fields import FieldInfo

from claude_openai.settings.setting import PREFIX, Setting
from claude_openai.settings.values import Expects, Spelling


def described(fields: Mapping[str, FieldInfo]) -> tuple[Setting, ...]:
    """The descriptions of all fields."""
    settings = list[Setting]()
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
