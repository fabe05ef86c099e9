"""How long tests wait for what should happen soon."""

PATIENCE_SECONDS = 120
"""For one step: a start of Claude Code, an answer, the end of a process. On an idle machine it takes a second at most.
The bound is for a test that would hang: a machine whose processor ten others want as well must not fail one.
"""
