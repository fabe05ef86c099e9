"""Reads a Dockerfile and a .dockerignore as far as ours go; a word they do not know is kept, not understood."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction: `word` is the first of it, such as RUN."""

    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    instructions: tuple[Instruction, ...]

    def every(self, word: str) -> list[str]:
        return [instruction.rest for instruction in self.instructions if instruction.word == word]

    def one(self, word: str) -> str:
        (rest,) = self.every(word)
        return rest

    def variables(self) -> dict[str, str]:
        return dict(_pair(word) for rest in self.every("ENV") for word in shlex.split(rest))

    def arguments(self) -> dict[str, str]:
        return dict(map(_pair, self.every("ARG")))

    def command(self) -> list[str]:
        return _words(self.one("ENTRYPOINT"))

    def health_check(self) -> list[str]:
        return _words(self.one("HEALTHCHECK").partition("CMD ")[2])


def stages(text: str) -> list[Stage]:
    instructions = list(_instructions(text))
    starts = [at for at, instruction in enumerate(instructions) if instruction.word == "FROM"]
    return [Stage(tuple(instructions[here:end])) for here, end in zip(starts, [*starts[1:], None], strict=True)]


def ignored(path: str, patterns: str) -> bool:
    """Whether the last pattern that matches `path`, or a folder it is in, leaves it out."""
    places = [str(place) for place in (PurePosixPath(path), *PurePosixPath(path).parents)][:-1]
    out = False
    for pattern in filter(_says_something, patterns.splitlines()):
        if any(fnmatchcase(place, _anywhere(pattern.lstrip("!"))) for place in places):
            out = not pattern.startswith("!")
    return out


def _instructions(text: str) -> Iterator[Instruction]:
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in filter(str.strip, re.sub(r"\\\n\s*", "", lines).splitlines()):
        word, rest = line.split(None, 1)
        yield Instruction(word, rest)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _words(text: str) -> list[str]:
    words: list[str] = json.loads(text)
    return words


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#")


def _anywhere(pattern: str) -> str:
    """`**/` also stands for no folder at all; the star of `fnmatch` crosses slashes as it is."""
    return pattern.replace("**/", "*")
