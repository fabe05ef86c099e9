"""Child processes: supervised, pooled while they wait, and swept when a server left them behind."""
