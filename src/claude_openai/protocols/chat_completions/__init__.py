"""Chat completions: requests into turns (`inbound`), events into chunks (`encoder`) or one object (`collector`)."""
