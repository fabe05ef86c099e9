"""Claude Code itself, whichever way it is run: how it is told what to do, what it says, and how that is read."""
