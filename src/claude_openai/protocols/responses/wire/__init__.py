"""The Responses API (OpenAI reference: Responses): what a client may send, what it gets, and the events of a stream."""
