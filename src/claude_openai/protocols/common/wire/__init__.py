"""OpenAI's protocol as OpenAI documents it: requests, replies, and how a stream is framed.

Pure, and ignorant of the core: what a request means for Claude is for `translate` to say. Requests are checked
strictly, as the reference types them; replies put exactly the keys on the wire that they were given.
"""
