"""JSON beyond the standard library: strict parsing, surrogates, schemas with bounded work."""
