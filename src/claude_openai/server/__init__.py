"""From settings to a running server, and the checks of `doctor`."""
