"""The store of runs and responses in a SQLite database: one writer thread, independent readers, SQL in `.sql` files."""
