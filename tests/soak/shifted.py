"""`python -m tests.soak.shifted MILLISECONDS COMMAND...`: the command on a clock that is so far off.

The sandbox lives in another year than this machine; a process of its own is to live in theirs.
"""

import sys
import time

if __name__ == "__main__":
    _now_ns, _shift_ns = time.time_ns, int(sys.argv[1]) * 1_000_000
    time.time_ns = lambda: _now_ns() + _shift_ns
    sys.argv = ["coursera-sync", *sys.argv[2:]]
    from flows.cli import main  # after the clock was moved

    main()
