"""The agent profile: the policy for Claude Code's work in a folder, and the reader of its answer."""
