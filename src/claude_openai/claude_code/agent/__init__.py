"""The agent profile: what Claude Code may do in a folder, and how its answer is read."""
