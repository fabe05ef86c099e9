"""Generates the service files: a systemd unit, a launchd property list, and the file with secrets for both. Pure."""

import plistlib
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

LABEL: Final = "io.github.claude-openai"
"""The label of the launchd agent."""

SECRETS: Final = """\
# Settings of the claude-openai service, one VARIABLE=value a line; for secrets, which only you can read here.
# A value with anything but letters, digits and -_./:,@+=% needs double quotes around it.
# All variables: claude-openai --help-all. What is no secret may stand in ~/.config/claude-openai/config.toml instead.
#
# CLAUDE_OPENAI_API_KEY=
# ANTHROPIC_API_KEY=
"""


@dataclass(frozen=True, slots=True)
class Service:
    """The service: a command with absolute paths, its working directory, and its file of variables."""

    command: tuple[str, ...]
    secrets: PurePath
    workspace: PurePath


def systemd_unit(service: Service) -> str:
    """A user unit. The server logs to standard output, which is the journal.

    The hardening options are those of a user's systemd without namespaces, which Claude Code's own sandbox needs. The
    temporary folder stays the user's, because the other commands find the server there.
    """
    # systemd expands % specifiers in paths, and nothing else.
    secrets, workspace = (str(path).replace("%", "%%") for path in (service.secrets, service.workspace))
    program, *arguments = service.command
    # systemd expands $ in arguments of ExecStart, but not in the program.
    command = " ".join([_word(program), *(_word(argument.replace("$", "$$")) for argument in arguments)])
    return f"""\
[Unit]
Description=claude-openai: answers OpenAI clients with Claude Code
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart={command}
EnvironmentFile=-{secrets}
WorkingDirectory={workspace}
Restart=on-failure
RestartSec=5
# A setting is wrong: trying again mends nothing.
RestartPreventExitStatus=2
# The server ends its own processes; what is left after the time-out is killed.
KillMode=mixed
TimeoutStopSec=90
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def launchd_plist(service: Service, *, path: str, log: PurePath, errors: PurePath) -> bytes:
    """A launchd agent. launchd reads no file of variables, so a shell reads it and executes the server.

    `path` is the PATH of the server, because launchd's own lacks the folders of user-installed programs.
    """
    read_secrets = 'set -a; [ ! -r "$0" ] || . "$0"; exec "$@"'
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": ["/bin/sh", "-c", read_secrets, str(service.secrets), *service.command],
            "EnvironmentVariables": {"PATH": path, "CLAUDE_OPENAI_LOG_FILE": str(log)},
            "WorkingDirectory": str(service.workspace),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 5,
            "ExitTimeOut": 90,
            "ProcessType": "Interactive",
            "StandardOutPath": "/dev/null",
            "StandardErrorPath": str(errors),
        },
        sort_keys=False,
    )


def _word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return word if re.fullmatch(r"[\w./+:=@-]+", word) else f'"{escaped}"'
