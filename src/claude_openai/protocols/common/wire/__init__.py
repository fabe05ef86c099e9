"""The bodies that all protocols share, as OpenAI documents them: requests, replies, errors and server-sent events.

Wire models do not import the core: what a request means for Claude is decided in the protocol's other modules. Requests
are checked strictly, with the types of the reference; a reply has exactly the keys that it was given.
"""
