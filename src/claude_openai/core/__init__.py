"""The domain: frozen values and rules, without I/O, clocks, or knowledge of any wire format.

`messages` of a conversation, `tools` of the client, `turn` for one request, `events` of an answer, `failures` of a
request, `runs` as records of requests, `models` and their names, `ports` that backends and stores implement.
"""
