"""The processes that this one has started."""

from contextlib import suppress


def resident_bytes_of_children() -> int:
    """The resident memory of all processes below this one, in bytes. It reads the table of processes: some 10 ms for
    some hundred (measured), so not on the event loop.
    """
    import psutil  # noqa: PLC0415 -- 27 ms, which a start need not wait for

    size = 0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it has ended meanwhile
            size += process.memory_info().rss
    return size
