"""How memory is given back while a run goes on, so that a large run's peak is low."""

import ctypes
import gc
from itertools import count

# Steps of a run after which all garbage is looked for, and free memory given back: every few seconds.
THOROUGH_EVERY = 8

_c_library = ctypes.CDLL(None)
_steps = count(1)


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
