"""A reading compared with the ledger: the same plan in whatever order and parts, and counts add up."""

from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from connectors.coursera.models import report_rows
from connectors.coursera.row_ids import row_ids
from connectors.ledger.bulk_io import no_rows
from connectors.ledger.keys import KEY
from connectors.ledger.records.attempts import ATTEMPT_COLUMNS
from connectors.ledger.records.enrollments import ENROLLMENT_COLUMNS, HELD_ATTEMPT
from connectors.ledger.records.rejects import reject_ids
from connectors.ledger.schema import attempts, enrollments
from tasks.extract.staging import typed
from tasks.reporting.summary import Counts
from tasks.statistics.compare import Rules, StatisticsPlan, map_part, plan
from tasks.statistics.ledger_state import LedgerState
from tasks.statistics.left_alone import leave_alone
from tasks.statistics.parts import Part, cut, keys_and_digests, parts_for
from tasks.transform.statistics.learner_moves import AddressMap

DAY = 86_400_000
NOW = 1_790_000_000_000
START = NOW - 100 * DAY
ADDRESSES = AddressMap({"d@x.com": "a@x.com"})
NO_ENROLLMENTS = no_rows(select(*(enrollments.c[name] for name in ENROLLMENT_COLUMNS)))
NO_ATTEMPTS = no_rows(select(*(attempts.c[name] for name in ATTEMPT_COLUMNS)))

Row = dict[str, Any]


class World(NamedTuple):
    """What the ledger knows, and what was rejected."""

    enrollments: pd.DataFrame
    accepted: pd.DataFrame
    rejects: pd.DataFrame


NO_REJECTS = pd.DataFrame(
    {
        "row_id": pd.Series(dtype="str"),
        **{name: pd.Series(dtype="str") for name in KEY},
        "uncertain": pd.Series(dtype="str"),
        "key": pd.Series(dtype="int64"),
    }
)
EMPTY = World(NO_ENROLLMENTS, NO_ATTEMPTS, NO_REJECTS)


@st.composite
def report(draw: st.DrawFn) -> Row:
    """A report row of few learners, courses and programs, some of them in error."""
    learner, course, program = (draw(st.sampled_from(some)) for some in ("abcd", "CD", "PQ"))
    first = draw(st.integers(0, 40))
    progress = draw(st.sampled_from([None, 0, 20, 55, 100, "x"]))
    last = START + (first + draw(st.integers(0, 9))) * DAY
    return {
        "id": f"{learner}~{course}~{program}",
        "email": f"{learner}@x.com",
        "externalId": learner,
        "contentId": course,
        "programId": program,
        "enrolledAt": START + first * DAY,
        "lastActivityAt": last,
        "overallProgress": progress,
        "isCompleted": progress == 100,
        "completedAt": last if progress == 100 else None,
    }


listings = st.lists(report(), max_size=12, unique_by=lambda row: row["id"])


def compared(
    rows: list[Row], world: World, folder: Path, *, part_rows: int = 1000, retries: bool = False
) -> tuple[list[StatisticsPlan], World]:
    """The plans of all parts, and what is known once all that was sent has been accepted."""
    elements = report_rows(rows)
    frame = typed(elements, row_ids(elements))
    rules = Rules(now_ms=NOW, retries=retries)
    keyed = keys_and_digests(iter([frame]), ADDRESSES)
    alone = leave_alone(keyed, _digests(world), world.rejects["key"])
    sizes: dict[str, Any] = {"number": parts_for(len(rows), part_rows), "folder": folder, "held_rows": 4}
    with cut(iter([frame]), alone, world.rejects, ADDRESSES, **sizes) as parts:
        plans = [_plan(part, world, rules) for part in parts]
    return plans, _settled(world, plans)


def _digests(world: World) -> pd.DataFrame:
    known = world.enrollments.loc[world.enrollments["digest"].notna()]
    return known[["key", "digest", "attempt"]].fillna({"attempt": HELD_ATTEMPT}).astype("int64")


def _plan(part: Part, world: World, rules: Rules) -> StatisticsPlan:
    found = map_part(part, rules)
    state = LedgerState(
        world.enrollments.loc[world.enrollments["key"].isin(found.keys["key"])].reset_index(drop=True),
        world.accepted.loc[world.accepted["key"].isin(found.keys["key"])].reset_index(drop=True),
    )
    return plan(part, found, state, rules)


def _settled(world: World, plans: list[StatisticsPlan]) -> World:
    known = pd.concat([world.enrollments, *(frame for one in plans for frame in (one.known, one.planned))])
    accepted = pd.concat([world.accepted, *(one.send[ATTEMPT_COLUMNS] for one in plans)])
    return World(
        known.drop_duplicates(["key", "program"], keep="last").reset_index(drop=True),
        accepted.drop_duplicates(["key", "number"], keep="last").reset_index(drop=True),
        world.rejects,
    )


def _refused(world: World, plans: list[StatisticsPlan]) -> World:
    """What is known where 360Learning refuses all."""
    undone = [one.planned.assign(digest=pd.Series(pd.NA, one.planned.index, dtype="Int64")) for one in plans]
    known = pd.concat([world.enrollments, *(one.known for one in plans), *undone])
    rejects = [
        one.send[[*KEY, "key"]].assign(
            row_id=reject_ids(one.send), uncertain=pd.Series(None, one.send.index, dtype="str")
        )
        for one in plans
    ]
    return World(
        known.drop_duplicates(["key", "program"], keep="last").reset_index(drop=True),
        world.accepted,
        pd.concat([world.rejects, *rejects], ignore_index=True),
    )


def told(plans: list[StatisticsPlan]) -> str:
    """A plan in words that do not depend on the order of parts."""
    sent = pd.concat([one.send for one in plans] or [pd.DataFrame()])
    rows = [str(row) for row in sent.drop(columns="key", errors="ignore").to_dict("records")]
    reasons = [reason for one in plans for reason in one.reasons]
    return str((sorted(rows), sorted(reasons), total(plans)))


def total(plans: list[StatisticsPlan]) -> Counts:
    return sum((one.counts for one in plans), Counts())


def unaccounted(plans: list[StatisticsPlan]) -> int:
    counts = total(plans)
    sent = sum(len(one.send) for one in plans)
    reasons = sum(len(one.reasons) for one in plans)
    return counts.extracted - counts.merged - counts.held - counts.unchanged - sent - reasons


unhurried = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@unhurried
@given(before=listings, after=listings, seed=st.integers(0, 99), part_rows=st.integers(1, 6))
def test_neither_order_nor_cut_changes_the_plan_and_counts_add_up(
    tmp_path: Path, before: list[Row], after: list[Row], seed: int, part_rows: int
) -> None:
    _, world = compared(before, EMPTY, tmp_path)
    plans, _ = compared(after, world, tmp_path)
    shuffled = Random(seed).sample(after, len(after))  # noqa: S311 - a shuffle
    others, _ = compared(shuffled, world, tmp_path, part_rows=part_rows)
    assert told(plans) == told(others)
    assert unaccounted(plans) == 0
    assert total(plans).extracted >= len(after)


@unhurried
@given(rows=listings)
def test_what_was_accepted_is_left_alone(tmp_path: Path, rows: list[Row]) -> None:
    plans, world = compared(rows, EMPTY, tmp_path)
    again, same = compared(rows, world, tmp_path)
    assert [one for plan in again for one in plan.send.index] == []
    pd.testing.assert_frame_equal(same.accepted, world.accepted)
    held = total(plans).held
    # Where an alias makes two rows one, only one of them is known: both are looked at again.
    assert total(again).extracted == len(rows)
    assert total(again).held == held


@unhurried
@given(rows=listings, retries=st.booleans())
def test_what_was_refused_is_never_taken_for_settled(tmp_path: Path, rows: list[Row], retries: bool) -> None:  # noqa: FBT001
    # Of two addresses with one alias the ledger keeps one row a program: the other is known only when shown.
    rows = [row for row in rows if row["email"] not in ADDRESSES.new_by_old]
    plans, _ = compared(rows, EMPTY, tmp_path)
    world = _refused(EMPTY, plans)
    again, _ = compared(rows, world, tmp_path)
    missed, _ = compared([], world, tmp_path, retries=retries)
    back, _ = compared(rows, World(world.enrollments, world.accepted, NO_REJECTS), tmp_path)
    sent = sum(len(one.send) for one in plans)
    assert sum(len(one.send) for one in again) == sent
    assert sum(len(one.send) for one in missed) == (sent if retries else 0)
    assert sum(len(one.send) for one in back) == sent
    assert sum(len(one.resolved) for one in missed) == (0 if retries else sent)
    assert unaccounted(missed) == unaccounted(again) == 0


@unhurried
@given(rows=listings)
def test_one_of_unknown_outcome_is_neither_sent_again_nor_forgotten(tmp_path: Path, rows: list[Row]) -> None:
    plans, _ = compared(rows, EMPTY, tmp_path)
    refused = _refused(EMPTY, plans)
    world = refused._replace(rejects=refused.rejects.assign(uncertain="{}"))
    for shown in (rows, []):
        found, _ = compared(shown, world, tmp_path)
        assert sum(len(one.send) + len(one.resolved) for one in found) == 0
        assert unaccounted(found) == 0
