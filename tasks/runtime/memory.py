"""How memory is shared and given back, so that a large run's peak is low."""

import ctypes
import gc
import os
from itertools import count

# A parameter of glibc's mallopt; other C libraries have neither it nor what it mends.
M_ARENA_MAX = -8
# Steps of a run after which all garbage is looked for, and free memory given back: every few seconds.
THOROUGH_EVERY = 8

_c_library = ctypes.CDLL(None)
_steps = count(1)


def configure_allocator() -> None:
    """Have all threads, and a server that Prefect starts, take memory from one heap, the C library's.

    Each thread would have its own share, and Arrow one beside: what is free there is of no use elsewhere.
    That was a tenth of the peak of a million rows. To be called before Arrow is imported.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")  # for children: this process has read it
    if hasattr(_c_library, "mallopt"):
        _c_library.mallopt(M_ARENA_MAX, 1)


def collect_garbage() -> None:
    """Look for garbage, at the end of a step: nobody else does while a run goes on (see `runtime.targets`).

    It is looked for among what the last two steps made, for to look through all that a run holds took a
    quarter of its processor time; only now and then everywhere. Then the heap's free pages go back, too: by
    themselves few of them do, for something small is in use behind them. They were a tenth of the peak.
    """
    if next(_steps) % THOROUGH_EVERY:
        gc.collect(1)
        return
    gc.collect()
    if hasattr(_c_library, "malloc_trim"):
        _c_library.malloc_trim(0)
