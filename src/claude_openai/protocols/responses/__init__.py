"""Pure functions between the Responses API and the core."""
