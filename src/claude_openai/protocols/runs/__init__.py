"""This server's own protocol: runs and what happens in them."""
