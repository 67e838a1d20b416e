"""A ledger that cannot be written, or was written by an earlier version."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, event, inspect, text

from connectors.errors import SettingsError
from connectors.ledger.database import open_ledger
from connectors.ledger.keys import key_of
from connectors.ledger.records import submissions
from connectors.ledger.schema import SCHEMA_VERSION
from sandbox.values import Json
from tests.installation import Sync

ANN = "ann@example.com"


@contextmanager
def each_connection(change: Callable[[Any, object], None]) -> Iterator[None]:
    """Every database connection that is made meanwhile is another one."""
    event.listen(Engine, "connect", change)
    try:
        yield
    finally:
        event.remove(Engine, "connect", change)


@pytest.fixture
def course(sync: Sync) -> Json:
    """A course in 360Learning, and a learner at 45 % of it on Coursera."""
    content = sync.sandbox.world.add_content("Machine Learning")
    sync.catalog()
    sync.sandbox.enroll(ANN, content, overallProgress=45)
    return content


def test_a_full_disk_is_told_plainly_and_the_next_run_puts_it_right(sync: Sync, course: Json) -> None:
    def full(connection: Any, _: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages + 1}").close()

    for number in range(2_000):
        sync.sandbox.enroll(f"learner{number}@example.com", course, overallProgress=10)
    with each_connection(full):
        summary = sync.statistics()
    assert summary.state == "failed"
    assert "full" in str(summary.error)
    again = sync.statistics(full=True)
    assert again.recovered + again.accepted == 2_001
    assert sync.statistics(full=True).unchanged == 2_001
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_a_locked_database_is_told_plainly(sync: Sync, course: Json) -> None:
    def impatient(connection: Any, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=10").close()

    other = sqlite3.connect(sync.state_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with each_connection(impatient):
        summary = sync.statistics()
    other.close()
    assert summary.state == "failed"
    assert "locked" in str(summary.error)
    assert sync.statistics().accepted == 1
    assert course


def test_a_clock_of_ours_that_is_off_does_not_hide_an_operation(sync: Sync, course: Json) -> None:
    sync.ahead_ms = 3 * 3_600_000
    sync.sandbox.faults.add("lose", path="bulk/integrations/.*/stats", platform="learning360", times=1)
    assert sync.statistics().accepted == 1
    assert sync.attempts(ANN, course["contentId"]) == [("open", 45)]


def test_a_ledger_of_the_first_version_is_brought_forward(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with open_ledger(url):
        pass
    engine = create_engine(url)
    back = [
        *(
            statement
            for table, last in (("enrollments", "program"), ("attempts", "number"))
            for statement in (
                f"CREATE TABLE old AS SELECT * FROM {table}",  # noqa: S608 - the test's own words
                f"DROP TABLE {table}",
                f"ALTER TABLE old RENAME TO {table}",
                f"ALTER TABLE {table} DROP COLUMN key",
                f"CREATE UNIQUE INDEX {table}_key ON {table} (target_id, learner, course, {last})",
            )
        ),
        "ALTER TABLE targets RENAME COLUMN trusted TO created_here",
        "ALTER TABLE runs DROP COLUMN stream",
        "ALTER TABLE runs DROP COLUMN holder",
        "ALTER TABLE submissions DROP COLUMN intended_at_platform",
        "ALTER TABLE submissions DROP COLUMN enrollments",
        "ALTER TABLE rejects DROP COLUMN uncertain",
        "ALTER TABLE runs DROP COLUMN part_of",
        "DROP TABLE learners",
        "DROP TABLE shares",
        "ALTER TABLE enrollments DROP COLUMN digest",
        "ALTER TABLE enrollments ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0",
        "CREATE INDEX enrollments_by_external_id ON enrollments (target_id, external_id)",
        "CREATE INDEX attempts_by_external_id ON attempts (target_id, external_id)",
        "UPDATE schema_versions SET version = 1",
        "INSERT INTO targets VALUES (1, 'https://a', 'g', 'p', 'i', 1, 0)",
        "INSERT INTO runs (id, target_id, flow, dry_run, started_at, state) VALUES ('r', 1, 'f', 0, 1, 's')",
        """INSERT INTO submissions (id, target_id, run_id, type, state, row_count, intended_at)
        VALUES ('s', 1, 'r', 't', 'sent', 1, 77)""",
        *(
            f"""INSERT INTO enrollments (target_id, learner, course, program, external_id, first_at, last_at,
            completed, progress, time_spent, updated_at, run_id)
            VALUES (1, 'a@example.com', '{course}', 'p', '{known_as}', 1, 2, 0, 3, 4, {at}, 'r')"""  # noqa: S608 - the test's own words
            for course, known_as, at in (("c", "x1", 5), ("d", "x1", 9), ("e", "", 7))
        ),
        """INSERT INTO attempts (target_id, learner, course, number, external_id, first_at, last_at,
        completed, progress, time_spent, rule, run_id, accepted_at)
        VALUES (1, 'a@example.com', 'c', 1, 'x1', 1, 2, 1, 100, 4, 'r', 'r', 9)""",
    ]
    with engine.begin() as db:
        for statement in back:
            db.execute(text(statement))
        under_way = pd.DataFrame({"learner": ["a@example.com"], "course": ["c"]}).to_parquet()
        db.execute(text("UPDATE submissions SET rows = :rows"), {"rows": under_way})
    with open_ledger(url) as ledger, ledger.read() as db:
        (submission,) = submissions.left_open(db, 1, ("t",))
        assert submission.rows["key"].tolist() == [key_of("a@example.com", "c")]
    with engine.begin() as db:
        assert db.scalar(text("SELECT version FROM schema_versions")) == SCHEMA_VERSION
        assert db.scalar(text("SELECT trusted FROM targets")) == 1
        assert db.scalar(text("SELECT intended_at_platform FROM submissions")) == 77
        addresses = db.execute(text("SELECT external_id, learner, updated_at FROM learners")).all()
        assert [tuple(row) for row in addresses] == [("x1", "a@example.com", 9)]
        assert db.scalar(text("SELECT count(*) FROM enrollments WHERE digest IS NULL")) == 3
        kept = db.execute(text("SELECT learner, course, key, completed, progress FROM attempts")).all()
        assert [tuple(row) for row in kept] == [("a@example.com", "c", key_of("a@example.com", "c"), 1, 100)]
        assert {"stream", "holder"} <= {column["name"] for column in inspect(db).get_columns("runs")}
    engine.dispose()


def test_a_migration_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.db"
    with open_ledger(url) as ledger, ledger.begin() as db:
        db.execute(text("UPDATE schema_versions SET version = 1"))
        db.execute(text("ALTER TABLE targets RENAME COLUMN trusted TO created_here"))
    with pytest.raises(SettingsError):  # half-way, at a column of version 2 that is there already
        open_ledger(url)
    engine = create_engine(url)
    with engine.begin() as db:
        assert db.scalar(text("SELECT version FROM schema_versions")) == 1
        assert "created_here" in {column["name"] for column in inspect(db).get_columns("targets")}
    engine.dispose()
