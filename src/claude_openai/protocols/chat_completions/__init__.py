"""Chat completions: requests become turns (`request`), events become chunks (`stream`) or one object (`collector`)."""
