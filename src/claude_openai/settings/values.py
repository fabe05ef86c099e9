"""The types of settings: how each kind of value is parsed, checked and described.

A value is checked in the same way from every source: as the text of a flag or a variable, or as a TOML value. The
message of a validator's `ValueError` is shown to the operator unchanged, after the source of the value.
"""

import ipaddress
import re
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, SecretStr


@dataclass(frozen=True, slots=True)
class Expects:
    """How a value is described: `phrase` in the message about a wrong value, `metavar` in `--help`.

    `unit` follows the default in `--help`; `unset` is shown if the default is no value.
    """

    phrase: str
    metavar: str
    unit: str = ""
    unset: str = "none"


@dataclass(frozen=True, slots=True)
class Spelling:
    """The flag and variables of a setting that do not follow from the field's name; `also` are further variables.

    `default` describes a default that depends on the machine or on other settings.
    """

    flag: str | None = None
    also: tuple[str, ...] = ()
    repeatable: bool = False
    default: str | None = None


SHORTEST_NAMED_KEY: Final = 6
"""Characters of what follows a name in a key file: a shorter rest is no key, but part of one that has a colon in it."""

_NAMED_KEY = re.compile(
    rf"(?P<name>(?!(?:local|owner):|key-)[A-Za-z0-9][A-Za-z0-9._-]{{0,31}}):(?P<key>.{{{SHORTEST_NAMED_KEY},}})"
)
"""`name:key`. The key may have colons. `core.keys.is_name` says the same of a name."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key of the settings. `key` is what a client sends, `name` whose it is, None where it has no name.

    `whole` is a line `name:key`, which a client may send as well: before there were names, it was the key.
    """

    key: SecretStr
    name: str | None = None
    whole: SecretStr | None = None


def looks_named(line: KeyLine) -> bool:
    """Whether a line without a name may have been meant to have one."""
    return line.name is None and bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}:.*", line.key.get_secret_value()))


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The contents of a file of API keys: `name:key` or `key` a line, `#` begins a comment line."""

    path: Path
    lines: tuple[KeyLine, ...]
    readable_by_others: bool

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            ValueError: it cannot be read, has no key, or has one that is not valid.
        """
        try:
            lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
            mode = path.stat().st_mode
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not a text file; write one API key a line") from None
        except OSError as error:
            raise ValueError(f"cannot read {path}: {error.strerror}") from None
        keys = tuple(key_line(line) for line in lines if line and not line.startswith("#"))
        if not keys:
            raise ValueError(f"{path} has no API key; write one a line")
        owners: dict[str, str | None] = {}
        for each in keys:
            if owners.setdefault(text := each.key.get_secret_value(), each.name) != each.name:
                names = " and ".join(str(name or "a line without a name") for name in (owners[text], each.name))
                raise ValueError(f"{path} gives {names} the same key")
        readable = stat.S_ISREG(mode) and bool(mode & (stat.S_IRGRP | stat.S_IROTH))
        return cls(path, keys, readable_by_others=readable and sys.platform != "win32")  # where the mode does not say


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`. Names other than `localhost` may resolve to any address: False."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _words(value: object) -> object:
    """Split a text at commas and white space; values of a list may contain commas and stay as they are."""
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


def _between_commas(value: object) -> object:
    """Split a text at commas only: a path may contain white space."""
    return tuple(path for part in value.split(",") if (path := part.strip())) if isinstance(value, str) else value


def _number(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()} is not a number")  # noqa: TRY004 -- pydantic's
    return value


_LOWER = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


def _several_keys(value: object) -> object:
    """Split a text at commas only: a text with a space is an invalid key, not two keys. A text of separators only is an
    error, so that a mistake does not leave the server open.
    """
    keys = _between_commas(value)
    if value and not keys:
        raise ValueError("there is no API key in it")
    return keys


def _key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not re.fullmatch("[!-~]+", text):
        raise ValueError("an API key travels in a header: use visible ASCII characters without white space")
    return key


def key_line(line: str) -> KeyLine:
    """Parse a line of a key file.

    Raises:
        ValueError: it is not valid as a key.
    """
    named = _NAMED_KEY.fullmatch(line)
    whole = _key(SecretStr(line))
    return KeyLine(SecretStr(named["key"]), named["name"], whole) if named else KeyLine(whole)


def _pairs(value: object) -> object:
    """Parse any number of `NAME=MODEL`; a table of TOML stays as it is."""
    items = _words(value)
    if not isinstance(items, Sequence):
        return items
    pairs = {}
    for item in items:
        name, _, model = (part.strip() for part in str(item).partition("="))
        if not (name and model):
            raise ValueError(f"{item!r} is not NAME=MODEL, such as gpt-4o=sonnet")
        pairs[name] = model
    return pairs


def _host(host: str) -> str:
    """Check a host, and remove the brackets in which URLs write an IPv6 address."""
    bare = host.strip().removeprefix("[").removesuffix("]")
    if not re.fullmatch(r"[\w.:%-]+", bare):
        raise ValueError(f"{host!r} is not an address or a host name to listen on, such as 127.0.0.1")
    return bare


def _host_name(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+\]", name):
        raise ValueError(f"{name!r} is not a host name alone, such as chat.example.com (no scheme, no port)")
    return name.lower()


_ORIGIN = re.compile(
    r"null|file://|(?P<web>https?)://(\[[0-9a-f:.]+\]|[^/\s*:@\[\]'?#]+)(?P<port>:([0-9]+|\*))?"
    r"|(?!https?:|file:)[a-z][a-z0-9+.-]*://(\*|[^/\s*:@\[\]'?#]+(:[0-9]+)?)"
)
"""An Origin header, or one of two patterns: any port of a host, and any page of a scheme other than http and https.
`http://*` would allow every web page, and `https://*.example.com` every page on a name that an attacker can get.
"""


def _origin(origin: str) -> str:
    """Normalise an origin: browsers send neither a slash at the end nor the default port, but people write them."""
    text = origin.strip().lower()
    bare = "file://" if text in {"file://", "file:///"} else text.rstrip("/")
    found = _ORIGIN.fullmatch(bare)
    if not found:
        raise ValueError(
            f"{origin!r} is not an origin, such as https://chat.example.com, any port of a host (http://localhost:*) "
            "or any page of an app (vscode-webview://*)"
        )
    usual = {"http": ":80", "https": ":443"}.get(found["web"] or "")
    return bare.removesuffix(usual) if usual and usual == found["port"] else bare


Name = Annotated[str, Field(min_length=1)]
Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(_host)], ...],
    BeforeValidator(_words),
    Field(min_length=1),
    Expects("a list of addresses to listen on", "ADDRESS"),
]
_NUMBER = BeforeValidator(_number)

Port = Annotated[int, _NUMBER, Field(ge=0, le=65535), Expects("a port from 0 to 65535", "PORT")]
Keys = Annotated[
    tuple[Annotated[SecretStr, AfterValidator(_key)], ...], BeforeValidator(_several_keys), Expects("an API key", "KEY")
]
Keyring = Annotated[
    KeyFile | None,
    BeforeValidator(lambda value: KeyFile.read(Path(value).expanduser()) if isinstance(value, str | Path) else value),
    Expects("the path of a file", "FILE"),
]
ModelName = Annotated[Name, Expects("the name of a model", "MODEL")]
ModelIds = Annotated[
    tuple[Name, ...],
    BeforeValidator(_words),
    Expects("a list of model ids", "ID,...", unset="the models that Claude Code lists"),
]
Aliases = Annotated[
    Mapping[Name, Name],
    BeforeValidator(_pairs),
    AfterValidator(MappingProxyType),
    PlainSerializer(dict),
    Expects("a table of names and models", "NAME=MODEL"),
]
Command = Annotated[Name | None, Expects("a command", "COMMAND", unset="the Claude Code bundled with the Agent SDK")]
Size = Annotated[int, _NUMBER, Field(gt=0), Expects("a number of bytes above 0", "BYTES", unit="bytes")]
_MOST_SECONDS = 1e9
"""Some thirty years; timers do not support longer waits."""

Seconds = Annotated[
    float, _NUMBER, Field(gt=0, le=_MOST_SECONDS), Expects("a number of seconds above 0", "SECONDS", unit="seconds")
]
Grace = Annotated[
    float, _NUMBER, Field(ge=0, le=_MOST_SECONDS), Expects("a number of seconds, 0 or more", "SECONDS", unit="seconds")
]
Retries = Annotated[
    int, _NUMBER, Field(ge=0, le=10), Expects("a number of retries from 0 to 10", "COUNT", unit="retries")
]
Count = Annotated[int, _NUMBER, Field(ge=0), Expects("a number, 0 or more", "COUNT")]
CountOrAuto = Annotated[
    Literal["auto"] | Annotated[int, Field(ge=0)],
    _NUMBER,
    _LOWER,
    Expects("a number, 0 or more, or auto", "COUNT|auto"),
]
Positive = Annotated[int, _NUMBER, Field(gt=0), Expects("a number above 0", "COUNT")]
HostNames = Annotated[
    tuple[Annotated[str, AfterValidator(_host_name)], ...],
    BeforeValidator(_words),
    Expects("a list of host names", "NAME"),
]
Origins = Annotated[
    tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_words), Expects("a list of origins", "ORIGIN")
]
Switch = Annotated[bool, Expects("true or false", metavar="")]
Flag = Annotated[bool, Expects("true or false", "true|false")]
DebugSwitch = Annotated[
    bool,
    BeforeValidator(
        lambda value: value.lower() not in {"", "0", "false", "no", "off"} if isinstance(value, str) else value
    ),
    Expects("true or false", metavar=""),
]
"""Any text that does not mean no means yes: other programs use DEBUG with values such as "app:*"."""
LogLevel = Annotated[Literal["info", "debug", "trace"], _LOWER, Expects("info, debug or trace", "info|debug|trace")]
LogFormat = Annotated[
    Literal["auto", "console", "columns", "json"],
    _LOWER,
    Expects("auto, console, columns or json", "auto|console|columns|json"),
]
LogFile = Annotated[Name | None, Expects("the path of a file", "FILE")]
Folder = Annotated[Name, Expects("the path of a folder", "FOLDER")]
Folders = Annotated[
    tuple[Name, ...],
    BeforeValidator(_between_commas),
    Expects("a list of folders", "FOLDER,...", unset="the folder the server was started in"),
]
Milliseconds = Annotated[int, Field(gt=0), Expects("a number of milliseconds above 0", "MS", unit="ms")]
StoreKind = Annotated[Literal["disk", "memory"], Expects("disk or memory", "disk|memory")]
BackendName = Annotated[Literal["sdk", "cli"], Expects("sdk or cli", "sdk|cli")]
AgentMode = Annotated[Literal["chat", "agent"], Expects("chat or agent", "chat|agent")]
PermissionModes = Annotated[
    tuple[Literal["acceptEdits", "auto", "bypassPermissions", "default", "dontAsk", "plan"], ...],
    BeforeValidator(_words),
    Field(min_length=1),
    Expects("a list of permission modes of Claude Code's", "MODE,..."),
]
SettingSources = Annotated[
    tuple[Literal["user", "project", "local"], ...],
    BeforeValidator(_words),
    Expects("a list of user, project and local", "SOURCE,..."),
]
Paths = Annotated[
    tuple[Name, ...], BeforeValidator(_between_commas), Expects("a list of files and folders", "PATH,...")
]
