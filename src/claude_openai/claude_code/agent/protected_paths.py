"""What stays out of bounds even in an allowed folder: what people sign in with, what this server keeps, and what other
programs run by themselves.

Nothing of it need be there yet: a file that is written to such a place counts as much as one that is read there.
"""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

import claude_openai
from claude_openai.claude_code.processes.placeholders import COMMON
from claude_openai.system.workspace import folded, within

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
"""In a home, on whichever system: logins, keys, sessions of browsers, and what was typed."""

_NAMED: Final = (
    *("CLAUDE_SECURESTORAGE_CONFIG_DIR", "CLAUDE_CODE_CLIENT_KEY"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AZURE_CONFIG_DIR", "AZURE_FEDERATED_TOKEN_FILE"),
    *("CLOUDSDK_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_GHA_CREDS_PATH"),
)
"""Variables with further paths of credentials."""

_TRUSTED: Final = (
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "NIX_SSL_CERT_FILE", "CLAUDE_CODE_CLIENT_CERT"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GOOGLE_API_CERTIFICATE_CONFIG"),
)
"""Variables that name files which say whom Claude Code believes."""

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
"""In a home: what a shell, git, an editor or the system run or obey by themselves. Claude Code itself reads the
shell's files when it runs its first command, in no sandbox (measured)."""

CONTROL: Final = frozenset(
    {
        *(".git", ".gitmodules", ".husky", ".envrc", ".claude", ".mcp.json"),
        *(".vscode", ".idea", ".cursor", ".devcontainer"),
    }
)
"""Names, at any depth, of what makes git, Claude Code, a shell or an editor run commands: never written to by a file
tool."""

HEAD: Final = "HEAD"
"""Without it a folder is no repository by itself, which git would take its configuration from."""

_RUNS: Final = ("config", "config.worktree", "hooks", COMMON)
"""In a git directory, which commands write: what makes git run commands, or take the configuration from elsewhere."""

_MODULES: Final = "modules"
"""In a git directory: the repositories of its submodules."""

_REPOSITORY: Final = frozenset({*_RUNS, _MODULES, "objects", "refs", "info", "worktrees"})
"""Beside a `HEAD`: what makes a repository of the folder, or is obeyed in one."""

_MOST_MODULES: Final = 1_000
"""Folders that are looked at for the repositories of submodules."""

_SUBMODULE: Final = re.compile(r'^\s*\[submodule\s+"(.+)"\]', re.MULTILINE)
"""In `.gitmodules`: the name of a submodule, that of its folder in `modules`."""

_WORKTREE: Final = re.compile(r"^\s*worktree\s*=(.+)$", re.MULTILINE)
"""In the configuration of a submodule: its folder, relative to the git directory."""


@dataclass(frozen=True, slots=True)
class ProtectedPaths:
    """Of paths with no link in them: `logins` and what is the server's `own` are neither read nor written, what others
    `run` is not written. `home` is what "~" stands for, `config` Claude Code's own folder, one of the logins.
    """

    home: str
    config: str
    logins: tuple[str, ...]
    server: tuple[str, ...]
    executed: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str], own: Iterable[str] = (), programs: Iterable[str] = ()) -> Self:
        """For the user of `environment`; `own` are the server's own paths, `programs` those that it runs."""
        home = home_of(environment)
        named = (environment[name] for name in _NAMED if environment.get(name))
        config = config_of(environment)
        return cls(
            home,
            config,
            _spelt((config, *_in(home, environment, _LOGINS))),
            _spelt((*named, *own)),
            _spelt((*_in(home, environment, _RUN), *_trusted(environment), *_programs(environment), *programs)),
        )

    @property
    def private(self) -> tuple[str, ...]:
        return (*self.logins, *self.server)

    @property
    def unsearched(self) -> tuple[str, ...]:
        """What no search may come by. Around Claude Code's own folder nothing is searched at all, and denied by a rule
        it could not read there what it keeps for itself.
        """
        theirs = _spelt((self.config,))
        return tuple(path for path in self.private if not any(within(each, path) for each in theirs))

    def around(self, folders: Iterable[str]) -> Self:
        """All but the protected paths that contain one of `folders`: the operator allowed that folder on purpose. Paths
        outside of `folders` stay protected, as links and commands may lead there.
        """
        allowed = tuple(folders)

        def kept(paths: Iterable[str]) -> tuple[str, ...]:
            return tuple(
                path for path in paths if not any(within(folder, os.path.realpath(path)) for folder in allowed)
            )

        return replace(self, logins=kept(self.logins), server=kept(self.server), executed=kept(self.executed))


def home_of(environment: Mapping[str, str]) -> str:
    """What "~" stands for, for the user of `environment`."""
    home = environment.get("HOME") or environment.get("USERPROFILE")
    return home or os.path.expanduser("~")  # noqa: PTH111 -- may be unknown


def control(folders: Iterable[str]) -> tuple[str, ...]:
    """What commands must not write at the top of each of `folders`, be it there or not. Of a repository that is there
    they may write all but what git obeys; where none is, none can be made.
    """
    return tuple(dict.fromkeys(path for folder in folders for path in _control(folder.rstrip(os.sep))))


def link_on_the_way(paths: Iterable[str], folders: Iterable[str]) -> str | None:
    """The first symbolic link that is one of `paths`, or on the way to one, below one of `folders`."""
    inside = ((path, folder) for path in sorted(paths) for folder in folders if within(path, folder))
    steps = (
        step for path, folder in inside for step in (path, *map(str, Path(path).parents)) if len(step) > len(folder)
    )
    return next(filter(os.path.islink, steps), None)


def is_git_control(path: str, depth: int) -> bool:
    """Whether `path`, as far as its last `depth` names, is what would make a repository of a folder that has no
    `.git`, or what git obeys in such a one.
    """
    place = Path(path)
    if folded(place.name) == folded(HEAD):
        return True
    steps = (place, *place.parents)[:depth]
    return any(folded(step.name) in _REPOSITORY and os.path.lexists(step.parent / HEAD) for step in steps)


def _control(folder: str) -> Iterator[str]:
    yield from (f"{folder}/{name}" for name in (*sorted(CONTROL - {".git"}), HEAD))
    git = Path(folder, ".git")
    if git.is_file():
        yield str(git)
        directories = _git_directories(_named_in(git, "gitdir:"))
    else:
        yield from (f"{git}/config", f"{git}/hooks")
        directories = _git_directories(git)
    for directory in (*directories, *_git_directories(Path(folder))):
        # Claude Code holds a worktree's part read-only, so nothing can be made in it. Where a command cannot write
        # anyway, nothing is made before either, as `placeholders` does for a `commondir`.
        unmade = () if _is_open(directory, folder) else _RUNS
        yield from (f"{directory}/{name}" for name in _RUNS if name not in unmade or os.path.lexists(directory / name))


def unmade_modules(folders: Iterable[str]) -> tuple[str, ...]:
    """Where in the git directories of `folders` the repositories of submodules would be made that have none yet:
    commands must not make them, since git would use what it finds. It is the whole folder of them where that is not
    there, or has more in it than can be looked at.
    """
    return tuple(dict.fromkeys(path for folder in folders for path in _unmade_modules(folder.rstrip(os.sep))))


def linked_directories(folder: str) -> tuple[str, ...]:
    """The git directories of a linked worktree: its own part, and that of the main repository, which Claude Code opens
    to commands (measured).
    """
    part = _named_in(Path(folder, ".git"), "gitdir:")
    main = _named_in(part / COMMON) if part else None
    return (str(part), str(main)) if main else ()


def git_directory_around(folder: str) -> str | None:
    """The git directory that `folder` is or lies in; None where it is a working tree, even one in a bare repository."""
    for place in (Path(folder), *Path(folder).parents):
        if place.name == ".git" or (
            os.path.lexists(place / HEAD) and any(os.path.lexists(place / name) for name in ("objects", COMMON))
        ):
            return str(place)
        if os.path.lexists(place / ".git") and ".git" not in place.parts:
            return None
    return None


def _is_open(directory: Path, folder: str) -> bool:
    """Whether commands that work in `folder` can write in the git directory."""
    return directory.parent.name != "worktrees" and any(
        within(str(directory), root) for root in (folder, *linked_directories(folder)[1:])
    )


def _git_directories(directory: Path | None) -> Iterator[Path]:
    """`directory`, if it is one of git's, and those that git reads from there: of the main repository, of linked
    worktrees and of submodules.
    """
    if directory is None or not _has_head(directory):
        return
    main = _named_in(directory / COMMON) or directory
    yield from dict.fromkeys((directory, main))
    yield from (each.parent for each in main.glob(f"worktrees/*/{HEAD}"))
    yield from _repositories(main / _MODULES) or ()


def _repositories(modules: Path) -> list[Path] | None:
    """The git directories of submodules in the folder; None where it has more in it than can be looked at."""
    found = []
    for looked_at, (place, below, files) in enumerate(os.walk(modules)):
        if looked_at >= _MOST_MODULES:
            return None
        if HEAD in files:
            found.append(Path(place))
            below[:] = [name for name in below if name == _MODULES]
    return found


def _has_head(directory: Path) -> bool:
    """Whether there is a `HEAD` that is not empty, as the one is that the sandbox puts there while a command runs."""
    try:
        return os.lstat(directory / HEAD).st_size > 0
    except (OSError, ValueError):
        return False


def _unmade_modules(folder: str) -> Iterator[str]:
    git = Path(folder, ".git")
    for directory in _git_directories(_named_in(git, "gitdir:") if git.is_file() else git):
        if not _is_open(directory, folder):
            continue
        modules = directory / _MODULES
        if not os.path.lexists(modules) or _repositories(modules) is None:
            yield str(modules)
            continue
        worktree = _WORKTREE.search(_text(directory / "config"))
        tree = directory / worktree[1].strip() if worktree else directory.parent
        for name in _SUBMODULE.findall(_text(tree / ".gitmodules")):
            repository = os.path.normpath(modules / name)
            if within(repository, str(modules)) and not os.path.lexists(repository):
                yield repository


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except (OSError, ValueError):
        return ""


def _named_in(file: Path, before: str = "") -> Path | None:
    """The folder that `file` of git's names."""
    text = _text(file).strip()
    named = text.removeprefix(before).strip()
    return (
        Path(os.path.normpath(file.parent / named)) if named and text.startswith(before) and "\0" not in named else None
    )


def config_of(environment: Mapping[str, str]) -> str:
    """Claude Code's configuration folder, for the user of `environment`."""
    return environment.get("CLAUDE_CONFIG_DIR") or str(Path(home_of(environment), ".claude"))


def search_path(path: str | None) -> tuple[str, ...]:
    """The folders of a variable PATH. One that is relative begins wherever a program happens to run, so it is none."""
    return tuple(folder for folder in (path or "").split(os.pathsep) if os.path.isabs(folder))  # noqa: PTH117 -- a text


def _in(home: str, environment: Mapping[str, str], names: Iterable[str]) -> Iterator[str]:
    """Under `home`, and where its user has put `.config`."""
    for name in names:
        yield str(Path(home, name))
        if name.startswith(".config/") and (elsewhere := environment.get("XDG_CONFIG_HOME")):
            yield str(Path(elsewhere, name.removeprefix(".config/")))


def _trusted(environment: Mapping[str, str]) -> Iterator[str]:
    yield from (path for name in _TRUSTED for path in environment.get(name, "").split(os.pathsep) if path)


def _programs(environment: Mapping[str, str]) -> Iterator[str]:
    """What Claude Code or this server would run the next time."""
    yield from search_path(environment.get("PATH"))
    yield from (sys.prefix, str(Path(claude_openai.__file__).parent))


def _spelt(paths: Iterable[str]) -> tuple[str, ...]:
    """Under its own name and, where that is a link, where it leads."""
    return tuple(sorted({each for path in paths for each in (os.path.abspath(path), os.path.realpath(path))}))  # noqa: PTH100
