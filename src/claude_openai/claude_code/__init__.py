"""Adapters of `core.ports.Backend`: each folder here is one way to have a turn answered.

What they share is one supervised child process (`process`) and the private folder it works in (`scratch`).
"""
