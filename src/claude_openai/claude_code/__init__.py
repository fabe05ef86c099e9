"""Runs Claude Code: the two backends (`sdk` and `cli`, which implement `core.ports.Backend`), and the parts they share.

`processes` supervises the child processes and their private folders; `stream_json` encodes their input and parses their
output; `schema_checks` checks answers and calls; `agent` is the policy for agents.
"""
