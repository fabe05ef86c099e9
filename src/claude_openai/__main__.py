"""`python -m claude_openai` is `claude-openai`."""

from claude_openai.cli import main

if __name__ == "__main__":
    main()
