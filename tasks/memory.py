"""How memory is shared, so that a large run's peak is low; to be settled before Arrow is imported."""

import ctypes
import os

# A parameter of glibc's mallopt; other C libraries have neither it nor what it mends.
M_ARENA_MAX = -8


def be_frugal() -> None:
    """Have all threads, and a server that Prefect starts, take memory from one heap, the C library's.

    Each thread would have its own share, and Arrow one beside: what is free there is of no use elsewhere.
    That was a tenth of the peak of a million rows.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # for children: this process has read it
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
