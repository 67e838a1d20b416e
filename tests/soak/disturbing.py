"""What goes wrong on a day: each disturbance runs the statistics once, and is over when it returns."""

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from random import Random

from sandbox.faults import Action
from tests.installation import Sync
from tests.soak.killing import Death, killed

SUBMIT = r"bulk/integrations/.*/stats$"
LOOKED_FOR = r"bulk/operations$"
MOMENTS = ("", SUBMIT, LOOKED_FOR, r"operations/[^/]+$", r"/results$")


class Outcome(Enum):
    """What may be said of a run that was disturbed."""

    #: It has read all and sent all, as if nothing had happened.
    WHOLE = "whole"
    #: It has read all; what it did not bring to its end is sent by the next undisturbed run.
    READ = "read"
    #: The next undisturbed run does its work.
    BROKEN = "broken"


Disturbance = Callable[[Sync, Random, Path], Outcome]


def answer_lost(sync: Sync, draw: Random, _: Path) -> Outcome:
    """The answer to a submission is lost, whether it was taken or not: it is looked for at once."""
    action: Action = draw.choice(("lose", "reset", "half"))
    sync.sandbox.faults.add(action, platform="learning360", method="POST", path=SUBMIT, times=1)
    return _of(sync.statistics().state)


def burst(sync: Sync, draw: Random, _: Path) -> Outcome:
    """Some requests in a row are refused for the time being; the run may survive that, or not."""
    status = draw.choice((429, 500, 502, 503, 504))
    skip, times = draw.randrange(12), draw.randrange(1, 9)
    sync.sandbox.faults.add("answer", path=r"/api/", status=status, skip=skip, times=times)
    return _of(sync.statistics().state)


def operation_failed(sync: Sync, draw: Random, _: Path) -> Outcome:
    """An operation ends in error after some of its rows: those without a result are open again."""
    options = sync.sandbox.learning360.options
    options.fail_next, options.fail_after_rows = 1, draw.randrange(8)
    assert sync.statistics().state != "failed"
    options.fail_next = 0
    return Outcome.READ


def operation_silent(sync: Sync, draw: Random, _: Path) -> Outcome:
    """An operation ends in error and tells of fewer rows than it carried out; perhaps its answer is lost."""
    options = sync.sandbox.learning360.options
    options.fail_next, options.fail_after_rows = 1, draw.randrange(1, 12)
    options.drop_results = draw.randrange(1, 12)
    if draw.random() < 0.5:
        sync.sandbox.faults.add("lose", platform="learning360", method="POST", path=SUBMIT, times=1)
    assert sync.statistics().state != "failed"
    options.fail_next = options.drop_results = 0
    return Outcome.READ


def results_odd(sync: Sync, _: Random, __: Path) -> Outcome:
    """Rows that went well are reported in a status that nobody knows: they are read back."""
    options = sync.sandbox.learning360.options
    options.success_status = "skipped"
    assert sync.statistics().state != "failed"
    options.success_status = "success"
    return Outcome.READ


def listing_incomplete(sync: Sync, _: Random, __: Path) -> Outcome:
    """The listing does not come to its end: what was read is sent, and the run fails."""
    sync.sandbox.coursera.options.stuck_cursor = True
    assert sync.statistics().state == "failed"
    sync.sandbox.coursera.options.stuck_cursor = False
    return Outcome.BROKEN


def process_killed(sync: Sync, draw: Random, home: Path) -> Outcome:
    """The command's process group is killed at a request: at any, or where it matters most."""
    path = draw.choice(MOMENTS)
    if path == LOOKED_FOR:  # what was submitted is taken, and nobody has written that down
        sync.sandbox.faults.add("lose", platform="learning360", method="POST", path=SUBMIT, times=1)
    # The request itself is not carried out: it may not even have come in whole.
    death = Death("answer", path=path, skip=0 if path else draw.randrange(12))
    # A token that changes just then, and that nobody has written down, is lost for good.
    sync.sandbox.coursera.options.rotate_refresh_token = False
    is_dead = killed(sync, ["statistics", "--json"], death, home)
    sync.sandbox.coursera.options.rotate_refresh_token = True
    return Outcome.BROKEN if is_dead else Outcome.WHOLE


DISTURBANCES: tuple[Disturbance, ...] = (
    answer_lost,
    burst,
    operation_failed,
    operation_silent,
    results_odd,
    listing_incomplete,
    process_killed,
)


def _of(state: str) -> Outcome:
    return Outcome.BROKEN if state == "failed" else Outcome.WHOLE
