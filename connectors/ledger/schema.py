"""The ledger's tables, the same on SQLite and PostgreSQL.

Every time is epoch milliseconds, UTC. A *target* is one integration in one 360Learning group; all else
belongs to one. The reasons for the columns are in docs/ledger.md.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA_VERSION = 5

metadata = MetaData()


def _target() -> Column[int]:
    return Column("target_id", Integer, ForeignKey("targets.id"), primary_key=True)


def _of_many() -> list[Column[int]]:
    """The target and the key (see `connectors.ledger.keys`) of a record of a learner's course.

    No foreign key, here and for the run: there are millions, and looking each up cost a third of writing it.
    """
    return [
        Column("target_id", Integer, primary_key=True),
        Column("key", BigInteger, primary_key=True),
    ]


def _progress() -> list[Column[Any]]:
    """Whose progress on what: their address and Coursera's externalId of them, the course, and how far."""
    return [
        Column("learner", String, nullable=False),
        Column("course", String, nullable=False),
        Column("external_id", String, nullable=False),
        Column("first_at", BigInteger, nullable=False),
        Column("last_at", BigInteger, nullable=False),
        Column("completed", Boolean, nullable=False),
        Column("progress", Integer, nullable=False),
        Column("time_spent", BigInteger, nullable=False),
        Column("score", Integer),
    ]


schema_versions = Table("schema_versions", metadata, Column("version", Integer, primary_key=True))

targets = Table(
    "targets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("api_url", String, nullable=False),
    Column("group_id", String, nullable=False),
    Column("platform_name", String, nullable=False),
    Column("integration_id", String),
    # Whether the ledger knows what the integration holds: it saw it created, has adopted it, or was told to
    # go on regardless. If not, the integration may hold attempts that the ledger knows nothing of.
    Column("trusted", Boolean, nullable=False),
    # A target whose integration is gone; another has taken its place, with records of its own.
    Column("retired", Boolean, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("target_id", Integer, ForeignKey("targets.id"), nullable=False),
    Column("flow", String, nullable=False),
    # The run whose work it shares, and under whose lock it acts.
    Column("part_of", String),
    # The stream whose lock it holds, and who to ask about it.
    Column("stream", String),
    Column("holder", String),
    Column("dry_run", Boolean, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("state", String, nullable=False),
    Column("summary", Text),
    Index("runs_by_time", "target_id", "started_at"),
)

courses = Table(
    "courses",
    metadata,
    _target(),
    Column("external_id", String, primary_key=True),
    Column("course_id", String),
    Column("digest", String, nullable=False),
    Column("body", Text, nullable=False),
    # The content's length, for specializations that take the sum of their courses'.
    Column("learning_seconds", Float),
    Column("live", Boolean, nullable=False),
    # The first and the last day (ISO) of the complete readings that missed it, and how many days those were.
    Column("missing_since", String),
    Column("missed_on", String),
    Column("missed_days", Integer, nullable=False, default=0),
    Column("run_id", String, ForeignKey("runs.id"), nullable=False),
    Column("operation_id", String),
    Column("accepted_at", BigInteger, nullable=False),
)

# What Coursera said of a learner on a course through a program, as it was last read.
enrollments = Table(
    "enrollments",
    metadata,
    *_of_many(),
    Column("program", String, primary_key=True),
    *_progress(),
    # The attempt this row is part of; none while the launch rule holds it.
    Column("attempt", Integer),
    # Tells at once that a row is as it was, and that what it led to is settled; none where it is to be looked
    # at again in any case.
    Column("digest", BigInteger),
    Column("run_id", String, nullable=False),
    # Clustered by its key: rows come in the order of keys, and there are many.
    sqlite_with_rowid=False,
)

# The addresses beside each externalId of Coursera's, with Coursera's date of the row that showed it last.
learners = Table(
    "learners",
    metadata,
    _target(),
    Column("external_id", String, primary_key=True),
    Column("learner", String, primary_key=True),
    Column("updated_at", BigInteger, nullable=False),
)

# What 360Learning accepted: one row an attempt, numbered in the order in which they were recorded.
attempts = Table(
    "attempts",
    metadata,
    *_of_many(),
    Column("number", Integer, primary_key=True),
    *_progress(),
    Column("rule", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("operation_id", String),
    Column("resource_id", String),
    Column("accepted_at", BigInteger, nullable=False),
)

# A bulk operation from the intent to send it until its results are in this ledger.
submissions = Table(
    "submissions",
    metadata,
    Column("id", String, primary_key=True),
    Column("target_id", Integer, ForeignKey("targets.id"), nullable=False),
    Column("run_id", String, ForeignKey("runs.id"), nullable=False),
    Column("type", String, nullable=False),
    Column("state", String, nullable=False),
    Column("operation_id", String),
    Column("row_count", Integer, nullable=False),
    # The rows (Parquet) until they are settled; then nothing, so that no address is kept twice.
    Column("rows", LargeBinary),
    # The enrollments (Parquet) that are known once the rows are settled; then nothing.
    Column("enrollments", LargeBinary),
    Column("intended_at", BigInteger, nullable=False),
    # The same moment by 360Learning's clock, to look for the operation among the platform's own.
    Column("intended_at_platform", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("settled_at", BigInteger),
    Index("submissions_by_state", "target_id", "state"),
)

# Parts of a run's reading that runs on other workers work on: gone once they are settled.
shares = Table(
    "shares",
    metadata,
    Column("run_id", String, ForeignKey("runs.id"), primary_key=True),
    Column("worker", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("target_id", Integer, ForeignKey("targets.id"), nullable=False),
    Column("rows", LargeBinary, nullable=False),
    # What was rejected of the same learners' courses.
    Column("rejects", LargeBinary, nullable=False),
)

# Rejected rows, by us or by the platform, until they are accepted or gone from Coursera.
rejects = Table(
    "rejects",
    metadata,
    _target(),
    Column("stream", String, primary_key=True),
    Column("row_id", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("learner", String),
    Column("course", String),
    # The row as it was read, where it could not be mapped and so stands nowhere else in the ledger.
    Column("raw", Text),
    # An attempt (JSON) of which it is not known whether 360Learning took it: it is not sent again blindly.
    Column("uncertain", Text),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("run_id", String, ForeignKey("runs.id"), nullable=False),
)

watermarks = Table(
    "watermarks",
    metadata,
    _target(),
    Column("stream", String, primary_key=True),
    Column("read_at", BigInteger, nullable=False),
    Column("read_in_full_at", BigInteger),
)

# Refresh tokens that Coursera renewed; the fingerprint tells whether the setting has changed since.
renewed_tokens = Table(
    "renewed_tokens",
    metadata,
    Column("org_id", String, primary_key=True),
    Column("setting_fingerprint", String, nullable=False),
    Column("refresh_token", String, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
)
