"""Merges our entries into the text of a JSON, YAML or TOML file; every other character stays. Pure.

Read again, the new text must have the changes of `config_merge` and nothing else; if not, the file is left as it is.

JSON is read with comments and with a comma before a closing bracket, as editors write their settings. No library for
Python edits such JSON in place without Node. YAML is read by ruamel.yaml, for the positions of its values; it would
write a file in its own indentation. TOML is tomlkit's, which keeps a file as it is.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from json.decoder import JSONDecoder
from typing import Any, Final, Protocol

import tomlkit
from ruamel.yaml import YAML, MappingNode, SequenceNode
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node
from tomlkit.exceptions import TOMLKitError

from claude_openai.cli.config_merge import CannotMergeError, Change, changes


class Edits(Protocol):
    """What can be done with one form of file. Both raise `CannotMergeError` where the text is not of that form."""

    def parsed(self, text: str) -> Any:
        """The plain values; None if there is none."""

    def changed(self, text: str, change: Change) -> str:
        """The text with the change."""


# JSON


@dataclass(slots=True)
class _Value:
    """A value of JSON in a text, from `start` to `end`. The members of an object or a list have their names or numbers.

    `tail` is the end of the last word or comment before the closing bracket, `comma` whether a comma ends the members.
    """

    plain: Any
    start: int
    end: int
    members: dict[str | int, "_Value"] = field(default_factory=dict)
    tail: int = 0
    comma: bool = False


class _Json:
    _space: Final = re.compile(r"(?:[\s\ufeff]|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
    _decoder: Final = JSONDecoder()

    def parsed(self, text: str) -> Any:
        return self._root(text).plain

    def changed(self, text: str, change: Change) -> str:
        holder = self._root(text)
        for step in change.path[:-1]:
            holder = holder.members[step]
        old, last = holder.members.get(change.path[-1]), next(reversed(holder.members.values()), None)
        if old and "\n" not in text.strip():
            return text[: old.start] + json.dumps(change.value, ensure_ascii=False) + text[old.end :]
        if old:
            return text[: old.start] + _dumped(change.value, text, _indent(text, old.start)) + text[old.end :]
        name = "" if isinstance(holder.plain, list) else f"{json.dumps(change.path[-1], ensure_ascii=False)}: "
        if "\n" not in text[holder.start : holder.end] and holder.tail > holder.start + 1:  # all on one line
            new, rest = f" {name}{json.dumps(change.value, ensure_ascii=False)}", text[holder.tail :]
        else:
            outer = _indent(text, holder.start)
            is_below = last is not None and "\n" in text[holder.start : last.start]
            indent = _indent(text, last.start) if last and is_below else outer + _step(text)
            new = f"{_newline(text)}{indent}{name}{_dumped(change.value, text, indent)}"
            is_closed_below = "\n" in text[holder.tail : holder.end]
            rest = text[holder.tail :] if is_closed_below else f"{_newline(text)}{outer}{text[holder.tail :]}"
        if last is None:
            return text[: holder.tail] + new + rest
        if holder.comma:
            return f"{text[: holder.tail]}{new},{rest}"
        return f"{text[: last.end]},{text[last.end : holder.tail]}{new}{rest}"

    def _root(self, text: str) -> _Value:
        try:
            value = self._value(text, self._skip(text, 0))
        except (ValueError, IndexError, RecursionError):
            value = None
        if value is None or self._skip(text, value.end) != len(text):
            raise CannotMergeError("there is one already that is not JSON, with or without comments")
        return value

    def _skip(self, text: str, place: int) -> int:
        found = self._space.match(text, place)
        return found.end() if found else place

    def _value(self, text: str, start: int) -> _Value:
        if text[start] not in "{[":
            plain, end = self._decoder.raw_decode(text, start)
            return _Value(plain, start, end)
        is_object = text[start] == "{"
        value = _Value({} if is_object else [], start, start)
        place = self._skip(text, start + 1)
        while text[place] not in "}]":
            if value.members and not value.comma:
                raise ValueError
            key: str | int = len(value.members)
            if is_object:
                key, place = self._decoder.raw_decode(text, place)
                place = self._skip(text, place)
                if not isinstance(key, str) or text[place] != ":":
                    raise ValueError
                place = self._skip(text, place + 1)
            member = self._value(text, place)
            value.members.pop(key, None)  # of a name that is there twice the last one counts
            value.members[key] = member
            place = self._skip(text, member.end)
            value.comma = text[place] == ","
            place = self._skip(text, place + 1) if value.comma else place
        if text[place] != ("}" if is_object else "]"):
            raise ValueError
        value.tail, value.end = len(text[:place].rstrip()), place + 1
        if is_object:
            value.plain.update({name: member.plain for name, member in value.members.items()})
        else:
            value.plain.extend(member.plain for member in value.members.values())
        return value


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent(text: str, place: int) -> str:
    """The indentation of the line that `place` is on."""
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _step(text: str) -> str:
    """The indentation of the first indented line."""
    found = re.search(r"^([ \t]+)\S", text, re.MULTILINE)
    return found[1] if found else "  "


def _dumped(value: Any, text: str, indent: str) -> str:
    """The value as JSON in the form of `text`; its lines after the first begin with `indent`."""
    dumped = json.dumps(value, indent=_step(text), ensure_ascii=False)
    return dumped.replace("\n", f"{_newline(text)}{indent}")


# YAML


class _Yaml:
    def parsed(self, text: str) -> Any:
        try:
            return YAML(typ="safe", pure=True).load(text)
        except (YAMLError, ValueError, RecursionError):
            raise CannotMergeError("there is one already that is not YAML") from None

    def changed(self, text: str, change: Change) -> str:
        holder = YAML(typ="rt", pure=True).compose(text)
        for step in change.path[:-1]:
            holder = self._member(holder, step)
        last = change.path[-1]
        is_list = isinstance(holder, SequenceNode)
        if isinstance(holder, MappingNode | SequenceNode) and not holder.value:  # `models: []`
            indent = _indent(text, holder.start_mark.index) + ("  " if len(change.path) > 1 else "")
            new = f"- {self._dumped(change.value, text, indent + '  ')}" if is_list else ""
            new = (new or self._dumped({last: change.value}, text, indent)).rstrip()
            before = text[: holder.start_mark.index].rstrip(" ")
            line = f"{_newline(text)}{indent}" if before and before[-1] != "\n" else indent
            return before + line + new + text[holder.end_mark.index :]
        if not isinstance(holder, MappingNode | SequenceNode) or holder.flow_style:
            where = change.path[-2] if len(change.path) > 1 else "it"
            raise CannotMergeError(f"there is one already, in which {where} is written on one line")
        column = holder.start_mark.column
        old = self._member(holder, last)
        if old is None:
            new = f"- {self._dumped(change.value, text, ' ' * (column + 2))}" if is_list else ""
            new = new or self._dumped({last: change.value}, text, " " * column)
            place = self._end_of_line(text, self._end(holder))
            before = "" if text[:place].endswith("\n") else _newline(text)
            return f"{text[:place]}{before}{' ' * column}{new}{text[place:]}"
        if is_list or not isinstance(change.value, dict | list):
            new = self._dumped(change.value, text, " " * old.start_mark.column)
            return text[: old.start_mark.index] + new.rstrip() + text[self._end(old) :]
        key = next(key for key, _ in holder.value if key.value == last)
        new = self._dumped({last: change.value}, text, " " * column)
        return text[: key.start_mark.index] + new.rstrip() + text[self._end(old) :]

    @staticmethod
    def _member(holder: Node, step: str | int) -> Any:
        if isinstance(holder, SequenceNode):
            return holder.value[step] if int(step) < len(holder.value) else None
        return next((value for key, value in holder.value if key.value == step), None)

    def _end(self, node: Node) -> int:
        """Where the contents of the node end; ruamel.yaml's end is after the comments that follow."""
        if not isinstance(node, MappingNode | SequenceNode) or node.flow_style or not node.value:
            return int(node.end_mark.index)
        if isinstance(node, SequenceNode):
            return self._end(node.value[-1])
        key, value = node.value[-1]
        is_empty = value.start_mark.index == value.end_mark.index
        return int(key.end_mark.index) if is_empty else self._end(value)

    @staticmethod
    def _end_of_line(text: str, place: int) -> int:
        if text[place - 1] == "\n":
            return place
        found = text.find("\n", place)
        return len(text) if found < 0 else found + 1

    @staticmethod
    def _dumped(value: Any, text: str, indent: str) -> str:
        """The value as YAML; its lines after the first begin with `indent`."""
        writer = YAML(typ="rt", pure=True)
        writer.default_flow_style, writer.width, stream = False, 4096, StringIO()
        writer.indent(mapping=2, sequence=4, offset=2)
        writer.dump(value, stream)
        dumped = stream.getvalue().removesuffix("...\n")
        lines = [indent + line if number and line else line for number, line in enumerate(dumped.splitlines())]
        return _newline(text).join([*lines, ""])


# TOML


class _Toml:
    def parsed(self, text: str) -> Any:
        try:
            return tomlkit.parse(text).unwrap()
        except (TOMLKitError, RecursionError):
            raise CannotMergeError("there is one already that is not TOML") from None

    def changed(self, text: str, change: Change) -> str:
        document = tomlkit.parse(text)
        holder: Any = document
        for step in change.path[:-1]:
            holder = holder[step]
        holder[change.path[-1]] = change.value
        return document.as_string()


EDITS: Final[Mapping[str, Edits]] = {"json": _Json(), "yaml": _Yaml(), "toml": _Toml()}


@dataclass(frozen=True, slots=True)
class Merged:
    """The new text, and the names of the values that stay although ours differ."""

    text: str
    kept: tuple[str, ...] = ()


def merge(theirs: str, ours: str, form: str) -> Merged:
    """The configuration `theirs` with `ours` merged in; `form` is `json`, `toml` or `yaml`.

    Raises:
        CannotMergeError: their configuration could not be kept unchanged otherwise.
    """
    if not theirs.strip("\ufeff \t\r\n"):
        return Merged(ours)
    edits = EDITS[form]
    found = edits.parsed(theirs)
    kept: list[str] = []
    text, values = theirs, found
    if found is None:  # it has comments only
        text, values = f"{theirs}\n{ours}" if theirs[-1] != "\n" else f"{theirs}{ours}", edits.parsed(ours)
    else:
        for change in changes(found, edits.parsed(ours), kept):
            text, values = edits.changed(text, change), change.on(values)
    if edits.parsed(text) != values:
        raise CannotMergeError("there is one already, which cannot be changed without changing more of it")
    return Merged(text, tuple(kept))
