"""What the operating system is asked for: instances, sockets, folders."""
