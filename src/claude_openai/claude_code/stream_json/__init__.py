"""Claude Code's protocol, for both backends: command lines, input, messages, and the readers of its answers."""
