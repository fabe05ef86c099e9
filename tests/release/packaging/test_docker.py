"""What the container promises, as far as it shows without an engine: the files say so, and what the image would run is
run here, with the image's own variables, command, health check and signal to stop.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
import yaml

from claude_openai.claude_code.processes.child import KILL_GRACE_SECONDS, TERMINATE_GRACE_SECONDS
from claude_openai.errors import SettingsError
from claude_openai.server.wiring import LAST_WORDS_SECONDS
from claude_openai.settings import Settings, catalogue, login_environment
from tests.patience import PATIENCE_SECONDS
from tests.release.packaging.dockerfile import ignored, stages
from tests.repository import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8")

STAGES = stages(DOCKERFILE)
IMAGE = STAGES[-1]
VARIABLES = {name: value for name, value in IMAGE.variables().items() if name != "PATH"}
SERVICE = yaml.safe_load(COMPOSE)["services"]["claude-openai"]
MOUNTED = {volume["target"]: volume for volume in SERVICE["volumes"]}

KEY = "key-of-a-client"

# The image.


@pytest.mark.proves("docker.confined")
def test_the_server_runs_as_a_fixed_user_that_is_not_root() -> None:
    assert IMAGE.one("USER") == "$CLAUDE_UID"
    assert IMAGE.arguments() == {"CLAUDE_UID": "1000"}
    assert [word for word in _after_user() if word in {"RUN", "COPY", "ADD"}] == []


@pytest.mark.proves("project.locked")
def test_the_base_is_pinned_and_every_package_is_checked_by_hash() -> None:
    first, *others = [stage.one("FROM") for stage in STAGES]
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+ AS base", first)
    assert {base.split()[0] for base in others} == {"base"}
    installs = re.findall(r"pip (?:--python \S+ )?(?:install|wheel) (.*?)(?:&&|$)", _runs(), re.MULTILINE)
    assert len(installs) == 4
    assert [flags for flags in installs if not re.search("--require-hashes|--no-index", flags)] == []


@pytest.mark.proves("project.locked")
@pytest.mark.parametrize("text", [DOCKERFILE, COMPOSE, IGNORED], ids=["Dockerfile", "docker-compose.yml", "ignored"])
def test_no_file_names_a_latest_version_or_an_address_to_download_from(text: str) -> None:
    assert "latest" not in text
    assert re.findall(r"https?://(?!127\.0\.0\.1:)\S*", text) == []


def test_all_that_is_copied_into_the_image_is_there_and_not_ignored() -> None:
    copied = [rest.split()[:-1] for stage in STAGES for rest in stage.every("COPY") if not rest.startswith("--from=")]
    sources = [source for words in copied for source in words]
    assert {"src", "pyproject.toml", "requirements/runtime.txt"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists() or ignored(source, IGNORED)] == []


@pytest.mark.parametrize(
    "path",
    [".git/config", ".env", ".venv/bin/python", "tests/conftest.py", "src/claude_openai/__pycache__/errors.pyc"],
)
def test_nothing_but_what_is_built_from_is_sent_to_the_builder(path: str) -> None:
    assert ignored(path, IGNORED)


@pytest.mark.proves("docker.settings")
def test_every_variable_of_the_image_and_of_compose_is_a_setting_or_a_login() -> None:
    settings = {variable for setting in catalogue() for variable in setting.variables}
    given = {*VARIABLES, *SERVICE["environment"]}
    assert given - settings - set(login_environment(dict.fromkeys(given, "")).keys()) == set()


@pytest.mark.proves("docker.key")
def test_the_image_listens_for_others_and_so_refuses_to_start_without_a_key() -> None:
    with pytest.raises(SettingsError, match=r"refusing to listen on 0\.0\.0\.0 without an API key"):
        Settings.load({}, VARIABLES)


@pytest.mark.proves("docker.stop", "docker.key")
def test_the_images_command_answers_under_its_published_name_is_healthy_and_ends_at_its_signal(tmp_path: Path) -> None:
    with _container(tmp_path) as container:
        container.until_healthy()
        asked = {"model": "sonnet", "messages": [{"role": "user", "content": "Say hello"}]}
        assert container.post("/v1/chat/completions", asked, key=None)[0] == 401
        status, answer = container.post("/v1/chat/completions", asked, key=KEY)
        assert (status, answer["object"]) == (200, "chat.completion")
        container.process.send_signal(signal.Signals[IMAGE.one("STOPSIGNAL")])
        assert container.process.wait(PATIENCE_SECONDS) == 0
        assert container.health() == 1


# Compose.


@pytest.mark.proves("docker.confined")
def test_compose_publishes_on_the_loopback_address_only() -> None:
    port = IMAGE.one("EXPOSE")
    assert SERVICE["ports"] == [f"127.0.0.1:${{CLAUDE_OPENAI_PORT:-8000}}:{port}"]
    assert VARIABLES["CLAUDE_OPENAI_PORT"] == port
    assert "network_mode" not in SERVICE


@pytest.mark.proves("docker.key")
def test_compose_demands_a_key_and_says_which() -> None:
    assert SERVICE["environment"]["CLAUDE_OPENAI_API_KEY"] == (
        "${CLAUDE_OPENAI_API_KEY:?set it to the key that your clients will send}"
    )


@pytest.mark.proves("docker.mounts")
def test_the_workspace_is_the_one_folder_that_the_agent_profile_may_use() -> None:
    settings = Settings.load({"api_key": KEY}, VARIABLES | _given())
    assert settings.allowed_working_directory_prefixes == ("/workspace",)
    assert settings.private_paths == ("/workspace/.env",), "the key may stand there"
    assert IMAGE.one("WORKDIR") == "/workspace"
    assert MOUNTED["/workspace"]["source"] == "${CLAUDE_WORKSPACE:-.}"


@pytest.mark.proves("docker.mounts")
def test_the_users_login_is_mounted_where_claude_code_looks_and_never_made_as_roots() -> None:
    folders = {target: volume for target, volume in MOUNTED.items() if target.startswith("/home/claude/")}
    assert {target: volume["source"] for target, volume in folders.items()} == {
        "/home/claude/.claude": "${HOME}/.claude",
        "/home/claude/.config/claude": "${HOME}/.config/claude",
    }
    assert all(volume["bind"] == {"create_host_path": False} for volume in folders.values())
    assert {name for name, value in SERVICE["environment"].items() if value is None} == {
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_OAUTH_TOKEN",
    }


@pytest.mark.proves("docker.confined")
def test_the_container_can_write_nowhere_else_and_gain_nothing() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert SERVICE["security_opt"] == ["no-new-privileges:true"]
    assert [mount.split(":")[0] for mount in SERVICE["tmpfs"]] == ["/tmp", "/home/claude"]
    assert {"privileged", "cap_add", "devices", "pid", "ipc"} & set(SERVICE) == set()


@pytest.mark.proves("docker.mounts")
def test_runs_and_captured_output_outlive_the_container() -> None:
    settings = Settings.load({"api_key": KEY}, VARIABLES | _given())
    kept = MOUNTED[settings.data_dir]
    assert (kept["type"], kept["source"]) == ("volume", "runs")
    assert Path(settings.output_dir).is_relative_to(settings.data_dir)
    assert "runs" in yaml.safe_load(COMPOSE)["volumes"]


@pytest.mark.proves("docker.stop")
def test_docker_waits_longer_for_a_stop_than_the_server_takes() -> None:
    drain = Settings().shutdown_timeout + LAST_WORDS_SECONDS
    processes = TERMINATE_GRACE_SECONDS + KILL_GRACE_SECONDS
    assert int(SERVICE["stop_grace_period"].removesuffix("s")) > drain + processes


@pytest.mark.proves("docker.confined")
def test_one_variable_names_the_user_of_the_image_and_of_its_home() -> None:
    assert SERVICE["build"]["args"] == {"CLAUDE_UID": f"${{CLAUDE_UID:-{IMAGE.arguments()['CLAUDE_UID']}}}"}
    assert "uid=${CLAUDE_UID:-1000},gid=${CLAUDE_UID:-1000},mode=0700" in SERVICE["tmpfs"][1]
    assert "user" not in SERVICE


@dataclass(frozen=True, slots=True)
class Container:
    """The image's command as a process here, with what the image and compose tell it."""

    process: subprocess.Popen[bytes]
    port: int
    environment: Mapping[str, str]

    def health(self) -> int:
        """Exit code of the image's health check."""
        python, *arguments = IMAGE.health_check()
        assert python == "python"
        asked = [sys.executable, *arguments]
        return subprocess.run(
            asked, env=self.environment, capture_output=True, timeout=PATIENCE_SECONDS, check=False
        ).returncode

    def until_healthy(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.health() != 0:
            assert self.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server is not healthy"

    def post(self, path: str, body: object, *, key: str | None) -> tuple[int, Any]:
        """As a client on the host does, which knows the published name only."""
        headers = {"content-type": "application/json", "host": "localhost:8000"}
        if key:
            headers["authorization"] = f"Bearer {key}"
        request = Request(f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode(), headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            with error:
                return error.code, json.load(error)


@contextmanager
def _container(data: Path) -> Iterator[Container]:
    init, dashes, program, *arguments = IMAGE.command()
    assert (init, dashes, program) == ("tini", "--", "claude-openai")
    port = _free_port()
    environment = {
        **os.environ,
        **VARIABLES,
        "CLAUDE_OPENAI_PORT": str(port),
        "CLAUDE_OPENAI_DATA_DIR": str(data),
        "CLAUDE_OPENAI_OUTPUT_DIR": str(data / "output"),
        "CLAUDE_OPENAI_API_KEY": KEY,
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    with (data / "log").open("wb") as log:
        argv = [str(Path(sys.executable).with_name(program)), *arguments, "--simulate"]
        process = subprocess.Popen(argv, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Container(process, port, environment)
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


def _given() -> dict[str, str]:
    """What compose sets itself, without what it takes over."""
    return {name: value for name, value in SERVICE["environment"].items() if value and "$" not in value}


def _runs() -> str:
    return "\n".join(run for stage in STAGES for run in stage.every("RUN"))


def _after_user() -> list[str]:
    words = [instruction.word for instruction in IMAGE.instructions]
    return words[words.index("USER") :]
