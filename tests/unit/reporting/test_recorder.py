"""What a run records: counts that add up, and drafts of which nothing is kept unless they succeed."""

import pandas as pd
import pytest

from tasks.reporting.recorder import MOST_EXAMPLES, Example, RunRecorder, Section, Span
from tasks.reporting.summary import Counts


class Seconds:
    """Seconds that a test moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def recorded() -> RunRecorder:
    """A recorder of a run that has just begun."""
    return RunRecorder(Seconds())


def fill(recorder: RunRecorder) -> None:
    """Record one of everything."""
    recorder.add(extracted=3, merged=1)
    recorder.add(Counts(accepted=1))
    recorder.note("A note")
    recorder.reject(["No such user"])
    recorder.change({"new": 1})
    recorder.progress({4: 1})
    recorder.sample([Example(recorder.learner("ann@example.com"), "new")])
    recorder.section("missing", Section("Missing", ("course",), [("A course",)]))
    recorder.plan(pd.DataFrame({"action": ["create"]}))
    recorder.differ(pd.DataFrame({"difference": ["missing"]}), {"missing": 1})


def contents(recorder: RunRecorder) -> tuple[object, ...]:
    """All that is recorded but spans."""
    plan, found = recorder.planned, recorder.differences
    return (
        recorder.counts,
        recorder.notes,
        recorder.reasons,
        recorder.changes,
        recorder.deciles,
        recorder.examples,
        recorder.sections,
        recorder.difference_counts,
        None if plan is None else plan.to_dict("records"),
        None if found is None else found.to_dict("records"),
    )


def test_counts_are_added() -> None:
    recorder = recorded()
    fill(recorder)
    assert recorder.counts == Counts(extracted=3, merged=1, accepted=1, rejected=1)
    assert recorder.reasons == {"No such user": 1}


def test_a_draft_is_the_runs_only_once_it_is_taken_over() -> None:
    recorder, directly = recorded(), recorded()
    fill(directly)
    draft = recorder.draft()
    fill(draft)
    assert contents(recorder) == contents(recorded())
    recorder.take_over(draft)
    assert contents(recorder) == contents(directly)


def test_what_was_recorded_before_stays() -> None:
    recorder, directly = recorded(), recorded()
    for _ in range(2):
        fill(directly)
        draft = recorder.draft()
        fill(draft)
        recorder.take_over(draft)
    assert contents(recorder) == contents(directly)
    assert recorder.difference_counts == {"missing": 2}


def test_a_learner_is_called_the_same_in_all_drafts() -> None:
    recorder = recorded()
    lost, kept = recorder.draft(), recorder.draft()
    assert lost.learner("ann@example.com") == "learner 1"
    assert kept.learner("bob@example.com") == "learner 2"
    assert recorder.learner("ann@example.com") == kept.learner("ann@example.com") == "learner 1"


def test_ten_examples_are_kept_in_all() -> None:
    recorder = recorded()
    recorder.sample([Example("one", "new")] * 8)
    draft = recorder.draft()
    assert draft.room == 2
    draft.sample([Example("another", "new")] * 8)
    recorder.take_over(draft)
    assert (len(recorder.examples), recorder.room) == (MOST_EXAMPLES, 0)


def test_the_steps_of_a_draft_that_fails_are_measured_all_the_same() -> None:
    seconds = Seconds()
    parent = RunRecorder(seconds)
    draft = parent.draft()
    seconds.now = 2.0

    def write() -> None:
        with draft.step("write"):
            seconds.now = 5.0
            raise LookupError

    with pytest.raises(LookupError):
        write()
    assert parent.spans == [Span("write", 2.0, 5.0, failed=True)]
