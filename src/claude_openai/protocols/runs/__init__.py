"""This server's own protocol: runs and their events."""
