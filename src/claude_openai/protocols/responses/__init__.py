"""The Responses API: parses requests into turns (`request`), encodes events as a response (`stream`)."""
