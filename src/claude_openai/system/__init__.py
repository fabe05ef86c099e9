"""What this server needs of the operating system: sockets, private files, locks, processes, threads, folders."""
