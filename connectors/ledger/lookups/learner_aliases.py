"""Learners whom 360Learning does not know by the address that Coursera has of them."""

from sqlalchemy import Connection, select

from connectors.ledger.records.rejects import rejected_learners
from connectors.ledger.schema import targets
from connectors.ledger.streams import STATISTICS


def refused_learners(db: Connection, api_url: str, group_id: str, platform_name: str) -> list[str]:
    """The learners of whom 360Learning refused a statistic."""
    identity = {"api_url": api_url, "group_id": group_id, "platform_name": platform_name, "retired": False}
    target_id = db.scalar(select(targets.c.id).filter_by(**identity))
    return [] if target_id is None else [one for one in rejected_learners(db, target_id, STATISTICS) if one]
