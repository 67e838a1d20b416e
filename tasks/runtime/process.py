"""What a run changes in its process as a whole: named in docs/operating.md, and done in no other place."""

import ctypes

import httpcore
import pyarrow as pa

# A parameter of glibc's mallopt; other C libraries have neither it nor what it mends.
M_ARENA_MAX = -8
# What is taken off a connection at a time: a page comes in a few pieces, not in dozens, each of which goes
# through five layers. Prefect's client shares the setting.
READ_BYTES = 256 * 1024


def prepare_process() -> None:
    """Have all threads take memory from one heap, the C library's, and read connections in large pieces.

    Each thread would have its own share of memory, and Arrow one beside: what is free there is of no use
    elsewhere, and was a tenth of a large run's peak.
    """
    pa.set_memory_pool(pa.system_memory_pool())
    c_library = ctypes.CDLL(None)
    if hasattr(c_library, "mallopt"):
        c_library.mallopt(M_ARENA_MAX, 1)
    httpcore.AsyncHTTP11Connection.READ_NUM_BYTES = READ_BYTES
