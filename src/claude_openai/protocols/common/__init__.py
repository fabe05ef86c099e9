"""What the protocols have in common."""
