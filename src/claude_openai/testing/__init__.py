"""Test tools that ship with the server: a scripted backend, the conformance suite of backends, and the environment of a
Claude Code that reaches only the simulator. The simulated model is `claude_openai.simulator`.
"""
