"""`claude-openai`, and `python -m claude_openai`: whoever presses Ctrl-C while all is being loaded is asked nothing."""

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
