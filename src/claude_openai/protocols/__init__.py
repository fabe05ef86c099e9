"""Translates between the wire and the core: one folder per HTTP protocol, and `common` for what they share.

Pure: no clock, no randomness, no I/O; ids and times are arguments. What a request asks for is carried, refused or
reported, never silently dropped.
"""
