"""`claude-openai simulator`: runs the simulated Messages API alone, for Claude Code or another program."""

import anyio
import click

from claude_openai.errors import LaunchError, SettingsError
from claude_openai.settings import is_loopback

DEFAULT_PORT = 8100
"""Different from the server's, so that both can run with their defaults."""

EXAMPLES = """\b
Examples:
  claude-openai simulator
  claude-openai simulator --port 0 --api-key secret
"""


@click.command(epilog=EXAMPLES)
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Port to listen on. 0 takes any free one.",
)
@click.option("--api-key", metavar="KEY", help="The only key it accepts; needed where others can connect.")
def simulator(host: str, port: int, api_key: str | None) -> None:
    """Serve a simulated Messages API, without a model, until stopped; print its URL.

    Its answers follow rules in the prompt. To use it: ANTHROPIC_BASE_URL=<the URL> ANTHROPIC_API_KEY=any claude-openai
    """
    if api_key is None and not is_loopback(host):
        raise SettingsError(f"refusing to listen on {host} without a key: give --api-key, or use --host 127.0.0.1")
    from claude_openai.simulator import Simulator, process  # noqa: PLC0415 -- only this command needs them

    async def serve() -> None:
        simulator = Simulator(api_key=api_key, remember=False, bound=process.processor_time)
        async with simulator.serve(host, port) as base_url:
            process.end_on_signals()
            click.echo(base_url)
            await anyio.sleep_forever()

    try:
        anyio.run(serve)
    except OSError as error:
        raise LaunchError(
            f"cannot listen on {host}, port {port}: {error.strerror}",
            "name another with --port, or any free one with --port 0",
        ) from None
