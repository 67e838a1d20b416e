"""Moving a learner's records in the ledger from the address at Coursera to the one in 360Learning."""

from collections.abc import Mapping

import orjson
from sqlalchemy import Connection, delete, select, update

from connectors.ledger.learners import move_learners
from connectors.ledger.rejects import rejected_learners
from connectors.ledger.schema import rejects, targets
from connectors.ledger.streams import STATISTICS


def apply(db: Connection, target_id: int, aliases: Mapping[str, str]) -> int:
    """Move what stands under the first address of an alias to the second one; returns how many learners.

    Courses of which the second address has records of its own stay: see `move_learners`.
    """
    moved = move_learners(db, target_id, aliases)
    refused = set(rejected_learners(db, target_id, STATISTICS)) & aliases.keys()
    for old in refused:
        _rename_rejects(db, target_id, old, aliases[old])
    return len(moved | refused)


def refused_learners(db: Connection, api_url: str, group_id: str, platform_name: str) -> list[str]:
    """The learners of whom 360Learning refused a statistic."""
    identity = {"api_url": api_url, "group_id": group_id, "platform_name": platform_name, "retired": False}
    target_id = db.scalar(select(targets.c.id).filter_by(**identity))
    return [] if target_id is None else [one for one in rejected_learners(db, target_id, STATISTICS) if one]


def _rename_rejects(db: Connection, target_id: int, old: str, new: str) -> None:
    """Statistics that were put aside are tried again under the new address."""
    theirs = {"target_id": target_id, "stream": STATISTICS}
    query = select(rejects.c.row_id, rejects.c.uncertain).filter_by(**theirs, learner=old)
    for row_id, uncertain in db.execute(query).all():
        new_id = new + row_id.removeprefix(old)
        values = {"row_id": new_id, "learner": new, "uncertain": _renamed(uncertain, new)}
        db.execute(delete(rejects).filter_by(**theirs, row_id=new_id))
        db.execute(update(rejects).filter_by(**theirs, row_id=row_id).values(**values))


def _renamed(uncertain: str | None, new: str) -> str | None:
    """An attempt of unknown outcome is looked for under the new address."""
    return None if uncertain is None else orjson.dumps(orjson.loads(uncertain) | {"learner": new}).decode()
