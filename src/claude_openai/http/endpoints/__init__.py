"""The endpoints: one module for each family of paths."""
