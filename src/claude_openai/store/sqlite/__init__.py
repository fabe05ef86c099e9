"""Runs in a SQLite database: one writer thread, readers beside it, SQL in `.sql` files."""
