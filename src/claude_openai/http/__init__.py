"""The HTTP layer: an ASGI application on Starlette's router, with its middleware, endpoints and event streams.

Bodies are read here, under limits, and the status of an answer is decided here. `protocols` knows what a request means
and how an answer looks.
"""
