"""The documents are true: what they name is there, the README's tables are the code's, its examples run as written."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

import click
import pytest

from claude_openai import recipes, settings
from claude_openai.claude_code.cli import backend as printing
from claude_openai.claude_code.sdk import command
from claude_openai.claude_code.stream_json import launch as shared
from claude_openai.cli import program
from claude_openai.errors import ExitCode
from claude_openai.protocols.chat_completions import parameters as chat_completions
from claude_openai.protocols.common.parameter_checks import markdown_table
from claude_openai.protocols.completions import parameters as completions
from claude_openai.protocols.responses import parameters as responses
from claude_openai.settings.descriptions import described
from tests.patience import PATIENCE_SECONDS
from tests.repository import ROOT, anchors

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")))
SETTINGS = "docs/reference/settings.md"
START = "docs/guide/start.md"

README_BYTES = 9000
"""A README is read in a minute, and leads to the pages that have more."""

OF_OTHER_PROGRAMS = frozenset(
    {
        *("--cov", "--upgrade"),  # what `make test` and `make lock` pass on
        *("--rounds", "--json", "--only", "--compare", "--write-docs"),  # the bench's
        *("--seed", "--conversations", "--turns", "--at-once", "--log"),  # the soak's
        *("--ensurepath", "--from", "--wheel", "--reinstall"),  # of pipx and uv
        *("--write", "--package-lock-only", "--omit-lockfile-registry-resolved"),  # of clients, and of npm
        *(
            "--value",
            "--profile",
            "--auth-type",
            "--model",
            "--prompt",
            "--message",
            "--print",
        ),  # of the clients themselves
        *("--strict-json", "--merge"),  # OpenClaw's
        *("--max-budget-usd", "--max-turns"),  # of Claude Code, and not given
    }
)


# What the documents name.


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = target.partition("#")
        if urlsplit(target).scheme:
            continue
        there = (ROOT / page).parent / path if path else ROOT / page
        if not there.exists() or (anchor and anchor not in anchors(there.resolve().relative_to(ROOT).as_posix())):
            broken.append(target)
    assert broken == []


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("page", PAGES)
def test_every_flag_is_one_of_ours_or_one_we_give_to_claude_code(page: str) -> None:
    named = set(re.findall(r"(?<![\w-])--[a-zA-Z][a-zA-Z-]*[a-zA-Z]", written(page)))
    assert named - our_flags() - claude_codes_flags() - OF_OTHER_PROGRAMS == set()


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_test_and_file_of_the_project_is_there(page: str) -> None:
    text = written(page)
    targets = re.findall(r"^([\w-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    assert set(re.findall(r"(?:`|^)make ([\w-]+)", text, re.MULTILINE)) <= set(targets)
    assert [name for name in re.findall(r"`(test_\w+)`", text) if f"def {name}(" not in tests] == []
    assert [path for path in re.findall(r"`([\w./]+/\w+\.py)`", text) if not is_there(path)] == []


NO_PROMISES = ("A page can make", "A client is trusted", "**Not limited**")
"""Beginnings of paragraphs that say what is, and not what is held."""


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("heading", ["Other machines", "Web pages in your browser", "What a client sends"])
def test_each_promise_about_requests_names_the_test_that_holds_it(heading: str) -> None:
    _, _, rest = written("docs/explain/security.md").partition(f"\n## {heading}\n\n")
    section, _, _ = rest.partition("\n## ")
    promises = [text for text in re.split(r"\n\n|\n(?=- )", section.strip()) if not text.startswith(NO_PROMISES)]
    assert promises
    assert [text for text in promises if not re.search(r"`test_\w+`", text)] == []


@pytest.mark.proves("project.docs.names")
def test_the_readme_leads_to_how_a_hole_is_reported() -> None:
    assert "](SECURITY.md)" in written("README.md")
    assert "Report a\nvulnerability" in written("SECURITY.md")


@pytest.mark.proves("project.docs.names")
def test_the_readme_is_short() -> None:
    assert len(written("README.md").encode()) <= README_BYTES


CAPTURES = ("README.md", START, *(f"docs/reference/{name}.md" for name in ("commands", "http", "logs")))
"""Pages that show a terminal or an answer of the server."""


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize("page", CAPTURES)
def test_every_capture_is_of_the_claude_code_that_the_pages_are_about(page: str) -> None:
    about = re.search(r"All of it was seen on Claude Code ([\d.]+\d)", written("docs/explain/claude-code.md"))
    assert about is not None
    assert set(re.findall(r"\b2\.\d+\.\d{3}\b", written(page))) == {about[1]}


@pytest.mark.proves("project.docs.names")
def test_the_index_leads_to_every_page() -> None:
    pages = {page.removeprefix("docs/") for page in PAGES if page.startswith("docs/")} - {"README.md"}
    assert pages <= set(re.findall(r"\]\(([^)#]+)\)", written("docs/README.md")))


@pytest.mark.proves("project.docs.names")
def test_troubleshooting_quotes_what_the_program_prints() -> None:
    """The quotes of the first column, where `...` stands for what varies, against the texts of the code."""
    files = [ROOT / "Makefile", *(ROOT / "src").rglob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in files)
    without_fields = re.sub(r"\{[^{}\n]*\}", "...", code)
    texts = re.sub(r'"\s*\n?\s*f?"', "", without_fields)  # one text over several lines is one
    symptoms = "\n".join(
        re.findall(r"^\| (.+?) \| .+ \| .+ \|$", written("docs/guide/troubleshooting.md"), re.MULTILINE)
    )
    quoted = [quote.strip() for text in re.findall(r"`([^`]+)`", symptoms) for quote in text.split("...")]
    of_others = {"command not found", "No such option", "Can't reach the API server", "https://", "temperature", "seed"}
    assert len(quoted) > 20
    assert [quote for quote in quoted if quote not in texts and quote not in of_others] == []


@pytest.mark.proves("start.exit-codes")
def test_the_page_of_settings_has_every_exit_code() -> None:
    _, _, section = written(SETTINGS).partition("\n## Exit codes\n")
    documented = re.findall(r"^\| (\d+) \| (.+) \|$", section, re.MULTILINE)
    assert documented == [(str(code.value), code.meaning) for code in ExitCode], "run: make docs"


# What is generated: that each part is there. That it is fresh is also what `make check` compares, for every page.


@pytest.mark.proves("project.docs.names")
@pytest.mark.parametrize(
    ("page", "generate"),
    [
        pytest.param(SETTINGS, settings.table, id="settings"),
        pytest.param(SETTINGS, settings.login_table, id="login"),
        pytest.param("docs/reference/parameters.md", partial(markdown_table, chat_completions.PARAMETERS), id="chat"),
        pytest.param("docs/reference/parameters.md", partial(markdown_table, completions.PARAMETERS), id="completions"),
        pytest.param("docs/reference/responses.md", partial(markdown_table, responses.PARAMETERS), id="responses"),
        pytest.param("docs/guide/clients.md", recipes.page, id="what-connect-prints"),
    ],
)
def test_each_generated_part_is_on_its_page_as_the_code_has_it(page: str, generate: Callable[[], str]) -> None:
    assert f"]]] -->\n{generate()}<!-- [[[end]]] -->\n" in written(page), "run: make docs"


@pytest.mark.proves("project.docs.names")
def test_the_catalogue_of_settings_is_that_of_their_fields() -> None:
    config, *fields = settings.catalogue()
    assert config.name == "config"
    assert tuple(fields) == described(settings.Settings.model_fields), "run: make docs"


# The examples of the README and of the first ten minutes, against one server with a simulated model.


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server is. Its temporary folder is its own, as a turn is over a moment after its answer."""
    temporary = tmp_path_factory.mktemp("server")
    keeping_nothing = ("--warm-processes", "0", "--session-ttl", "0")  # each test sees that nothing is left after it
    argv = [
        sys.executable,
        "-m",
        "claude_openai",
        "--simulate",
        "--port",
        "0",
        "--log-format",
        "json",
        *keeping_nothing,
    ]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        argv, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        with killed_if_too_slow(server):
            ready = next((line for line in server.stdout if '"server.ready"' in line), "{}")
        yield str(urlsplit(json.loads(ready)["url"]).port)
        with killed_if_too_slow(server):
            server.terminate()
            server.wait()
    assert list(temporary.iterdir()) == []


@pytest.mark.proves("project.docs.examples-run")
def test_the_python_example_streams_an_answer(port: str) -> None:
    code, _ = examples("python")
    done = run([sys.executable, "-c", code.replace(":8000/", f":{port}/")])
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "hello in three languages.\n")


@pytest.mark.proves("project.docs.examples-run")
def test_the_tools_example_answers_with_what_its_tool_says(port: str) -> None:
    _, code = examples("python")
    done = run([sys.executable, "-c", code.replace(":8000/", f":{port}/")])
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "get_weather answered: 21 degrees in Paris\n")


@pytest.mark.proves("project.docs.examples-run")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example_gets_an_answer_with_the_claude_object_as_shown(port: str) -> None:
    done, answer = by_curl(START, port)
    assert (done.returncode, answer["choices"][0]["message"]["content"]) == (0, "hello")
    (shown,) = map(json.loads, examples("json", START))
    assert answer["claude"].keys() == shown["claude"].keys()


@pytest.mark.proves("project.docs.examples-run")
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example_of_an_agent_is_answered_by_one(port: str) -> None:
    done, answer = by_curl("README.md", port)
    assert (done.returncode, answer["choices"][0]["finish_reason"]) == (0, "stop")


def by_curl(page: str, port: str) -> tuple[subprocess.CompletedProcess[str], Any]:
    """What became of the page's only example with curl: how it ended, and the answer."""
    (asking,) = (example for example in examples("sh", page) if example.startswith("curl "))
    done = run(["sh", "-c", asking.replace(":8000/", f":{port}/")])
    assert done.stdout, done.stderr
    return done, json.loads(done.stdout)


@pytest.mark.proves("project.docs.examples-run")
@pytest.mark.parametrize(("index", "file"), [(0, "chat.py"), (1, "tools.py")])
def test_the_python_examples_are_those_in_the_examples_folder(index: int, file: str) -> None:
    assert examples("python")[index] in (ROOT / "examples" / file).read_text(encoding="utf-8")


def written(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page: str) -> str:
    """A page without what is code in it."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", written(page), flags=re.DOTALL)


def examples(language: str, page: str = "README.md") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", written(page), re.DOTALL | re.MULTILINE)


def is_there(path: str) -> bool:
    """From the root or, as in the architecture's words, from the package."""
    return (ROOT / path).is_file() or (ROOT / "src" / "claude_openai" / path).is_file()


@cache
def our_flags() -> frozenset[str]:
    parameters = parameters_of(program)
    return frozenset({"--help", *(flag for each in parameters for flag in (*each.opts, *each.secondary_opts))})


def parameters_of(command: click.Command) -> list[click.Parameter]:
    """Its own and those of its subcommands."""
    context = click.Context(command)
    names = command.list_commands(context) if isinstance(command, click.Group) else []
    below = [command.get_command(context, name) for name in names if isinstance(command, click.Group)]
    return [*command.params, *(parameter for each in below if each for parameter in parameters_of(each))]


@cache
def claude_codes_flags() -> frozenset[str]:
    """Those that are written in the modules that start it."""
    written = "".join(Path(str(each.__file__)).read_text(encoding="utf-8") for each in (shared, command, printing))
    return frozenset(re.findall(r'"(--[a-zA-Z-]+)', written))


def run(argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)


@contextmanager
def killed_if_too_slow(process: subprocess.Popen[str]) -> Iterator[None]:
    timer = Timer(PATIENCE_SECONDS, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
