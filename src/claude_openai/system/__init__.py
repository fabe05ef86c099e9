"""The operating system's part: sockets, private files, locks, process identity, threads, folders."""
