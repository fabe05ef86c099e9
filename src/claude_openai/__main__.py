"""`claude-openai`, and `python -m claude_openai`: Ctrl-C ends it without a traceback, while it is being loaded, too."""

import sys


def main() -> None:
    """The command line."""
    try:
        from claude_openai import cli  # noqa: PLC0415 -- it takes some tenths of a second
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
