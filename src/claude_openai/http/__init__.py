"""The server's face: routes, who may enter, limits, and how an answer leaves, whole or as a stream.

Plain ASGI on Starlette's router. Bodies are read here, under a limit, and the status of an answer is decided here, so
neither is left to a framework. What a request means and what an answer looks like is for `translate` to say.
"""
