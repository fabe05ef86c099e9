"""`claude-openai open`: opens the server's page in a browser, logged in."""

import time
import webbrowser
from typing import Final

import click

from claude_openai.cli.client import ServerOption, about_a_server, no_server
from claude_openai.system.instances import running
from claude_openai.system.login_codes import VALID_SECONDS, new_code

EXAMPLES: Final = """\b
Examples:
  claude-openai open
  claude-openai open --print
"""


@click.command(epilog=EXAMPLES)
@click.option("--print", "only_print", is_flag=True, help="Print the address instead, for a browser elsewhere.")
@about_a_server
def open(choice: ServerOption, only_print: bool) -> None:  # noqa: A001 -- the name of the command
    """Open the page of the running server in a browser.

    If the server is yours, you are logged in without a key and see the runs of all keys. The address can be used once,
    within a minute.
    """
    url = choice.found()
    if url is None:
        raise no_server()
    token = next((each.owner_token for each in running() if each.url == url), None)
    page = f"{url}/ui/login?code={new_code(token, time.time())}" if token else f"{url}/ui/"
    if not only_print and webbrowser.open(page):
        click.echo(f"opened {url}/ui/", err=True)
        return
    click.echo(page)
    once = f", once, within {VALID_SECONDS:.0f} seconds" if token else ""
    click.echo(f"Open this address in a browser on this machine{once}.", err=True)
