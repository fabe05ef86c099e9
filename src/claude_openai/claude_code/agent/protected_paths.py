"""Paths that are protected even in an allowed folder: credentials, the server's own files, and files that other
programs run by themselves. A path is protected whether or not it exists.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import claude_openai
from claude_openai.system.workspace import real_path, within

_LOGINS: Final = (
    *(".claude", ".claude.json", ".config/claude", ".config/anthropic", ".claude-openai", ".config/claude-openai"),
    *(".aws", ".azure", ".config/gcloud", ".config/gh", ".config/hub", ".config/doctl", ".config/op", ".config/rclone"),
    *(".ssh", ".gnupg", ".pki", ".password-store", ".local/share/keyrings", ".local/share/kwalletd", ".config/age"),
    *(".docker", ".config/containers", ".kube", ".config/helm", ".terraform.d", ".terraformrc", ".vault-token"),
    *(".git-credentials", ".config/git/credentials", ".netrc", "_netrc", ".pgpass", ".my.cnf", ".mylogin.cnf"),
    *(".npmrc", ".yarnrc", ".yarnrc.yml", ".pypirc", ".config/pip", ".pip", ".config/pypoetry", ".config/uv"),
    *(".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials", ".bundle/config", ".m2/settings.xml"),
    *(".gradle/gradle.properties", ".composer/auth.json", ".config/composer/auth.json"),
    *(".mozilla", ".thunderbird", ".config/google-chrome", ".config/chromium", ".config/microsoft-edge"),
    *(".config/BraveSoftware", "snap/firefox", "snap/chromium", ".var/app", ".config/Code/User/globalStorage"),
    *("Library/Application Support", "Library/Keychains", "Library/Cookies", "Library/Safari"),
    *("AppData/Roaming", "AppData/Local"),
    *(".bash_history", ".zsh_history", ".python_history", ".psql_history", ".mysql_history", ".node_repl_history"),
    *(".local/share/fish/fish_history", ".histfile", ".zsh_sessions"),
)
"""In a home, on any system: credentials, keys, browser profiles and shell histories."""

_NAMED: Final = (
    *("CLAUDE_SECURESTORAGE_CONFIG_DIR", "CLAUDE_CODE_CLIENT_KEY"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AZURE_CONFIG_DIR", "AZURE_FEDERATED_TOKEN_FILE"),
    *("CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_GHA_CREDS_PATH"),
)
"""Variables that name files and folders of credentials."""

_TRUSTED: Final = (
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE", "CLAUDE_CODE_CLIENT_CERT"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GOOGLE_API_CERTIFICATE_CONFIG"),
)
"""Variables that name certificates which Claude Code trusts."""

_RUN: Final = (
    *(".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".bash_aliases", ".profile", ".inputrc"),
    *(".zshrc", ".zshenv", ".zprofile", ".zlogin", ".zlogout", ".oh-my-zsh", ".config/fish"),
    *(".nvm", ".pyenv", ".rbenv", ".sdkman", ".volta", ".bun", ".deno"),
    *(".gitconfig", ".config/git", ".ripgreprc", ".vimrc", ".vim", ".config/nvim", ".emacs", ".emacs.d", ".tmux.conf"),
    *(".config/systemd", ".local/share/systemd", ".config/autostart", ".config/environment.d", ".pam_environment"),
    *(".xprofile", ".xinitrc", ".xsession", ".local/bin", ".local/share/applications", ".cargo/bin", ".cargo/env"),
    *(".xsessionrc", ".xsessionrc.d", ".xinputrc", ".xserverrc", ".Xresources", ".Xdefaults", ".config/sway"),
    *(".config/i3", ".i3", ".config/hypr", ".config/user-tmpfiles.d", ".config/kitty", ".config/alacritty"),
    *(
        ".cshrc",
        ".tcshrc",
        ".login",
        ".kshrc",
        ".mkshrc",
        ".xonshrc",
        ".config/xonsh",
        ".config/zsh",
        ".config/nushell",
    ),
    *(".config/direnv", ".config/mise", ".asdfrc", ".tool-versions", ".config/powershell", ".config/starship.toml"),
    *(".config/helix", ".config/tmux", ".screenrc", ".lesskey", ".config/lesskey", ".lessfilter", ".mailcap"),
    *(".gdbinit", ".config/gdb", ".lldbinit", ".psqlrc", ".sqliterc", ".irbrc", ".pryrc", ".pythonrc", ".Rprofile"),
    *(".curlrc", ".wgetrc", ".condarc", ".config/emacs"),
    *("Library/LaunchAgents", "bin"),
)
"""In a home: files and folders that a shell, git, an editor or the system run or obey by themselves. Claude Code itself
reads the shell's start files before its first command, outside the sandbox (measured)."""


@dataclass(frozen=True, slots=True)
class ProtectedPaths:
    """The protected paths. Tools neither read nor write `logins` and the `server`'s own paths, and do not write the
    paths that other programs run (`executed`). `home` is the folder that "~" stands for; `config` is Claude Code's
    configuration folder, one of the logins.
    """

    home: str
    config: str
    logins: tuple[str, ...]
    server: tuple[str, ...]
    executed: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str], own: Iterable[str] = (), programs: Iterable[str] = ()) -> Self:
        """Collect the paths of the user of `environment`. `own` are the server's paths; it runs `programs`."""
        home, config = home_of(environment), config_of(environment)
        credentials = (environment[name] for name in _NAMED if environment.get(name))
        trusted = (path for name in _TRUSTED for path in environment.get(name, "").split(os.pathsep) if path)
        run_next = (*search_path(environment.get("PATH")), sys.prefix, str(Path(claude_openai.__file__).parent))
        return cls(
            home,
            config,
            _with_targets((config, *_in(home, environment, _LOGINS))),
            _with_targets((*credentials, *own)),
            _with_targets((*_in(home, environment, _RUN), *trusted, *run_next, *programs)),
        )

    @property
    def private(self) -> tuple[str, ...]:
        return (*self.logins, *self.server)

    @property
    def unsearched(self) -> tuple[str, ...]:
        """The paths that searches leave out: the private ones, except those with Claude Code's configuration folder. No
        search reaches that folder, and a rule that denies it would keep Claude Code from its own files.
        """
        configs = _with_targets((self.config,))
        return tuple(path for path in self.private if not any(within(config, path) for config in configs))

    def around(self, folders: Iterable[str]) -> Self:
        """Return the protected paths without those that contain one of `folders`: the operator allowed that folder on
        purpose. Paths outside of `folders` stay protected, as links and commands may lead there.
        """
        allowed = tuple(folders)

        def kept(paths: Iterable[str]) -> tuple[str, ...]:
            return tuple(
                path for path in paths if not any(within(folder, real_path(path) or path) for folder in allowed)
            )

        return replace(self, logins=kept(self.logins), server=kept(self.server), executed=kept(self.executed))


def home_of(environment: Mapping[str, str]) -> str:
    """Return the folder that "~" stands for, for the user of `environment`."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return home or os.path.expanduser("~")  # noqa: PTH111 -- may be unknown


def config_of(environment: Mapping[str, str]) -> str:
    """Return Claude Code's configuration folder, for the user of `environment`."""
    return environment.get("CLAUDE_CONFIG_DIR") or str(Path(home_of(environment), ".claude"))


def search_path(path: str | None) -> tuple[str, ...]:
    """Split a variable PATH into folders, without relative ones: those begin in any folder that a program runs in."""
    return tuple(folder for folder in (path or "").split(os.pathsep) if os.path.isabs(folder))  # noqa: PTH117 -- a text


def _in(home: str, environment: Mapping[str, str], names: Iterable[str]) -> Iterator[str]:
    """Yield the paths of `names` under `home`, and in the folder that the user has in place of `.config`."""
    for name in names:
        yield str(Path(home, name))
        if name.startswith(".config/") and (elsewhere := environment.get("XDG_CONFIG_HOME")):
            yield str(Path(elsewhere, name.removeprefix(".config/")))


def _with_targets(paths: Iterable[str]) -> tuple[str, ...]:
    """Return `paths`, and the targets of those that are links."""
    plain = [os.path.abspath(path) for path in paths]  # noqa: PTH100
    return tuple(sorted({each for path in plain for each in (path, real_path(path) or path)}))
