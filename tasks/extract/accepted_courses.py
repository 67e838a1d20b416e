"""The courses as 360Learning last accepted them, from the ledger."""

from collections.abc import Sequence

from connectors.ledger.database import Ledger
from connectors.ledger.lookups.run_history import course_bodies
from tasks.transform.courses.names import name_of


def accepted_bodies(ledger: Ledger, target_id: int, external_ids: Sequence[str]) -> dict[str, str]:
    """The courses (JSON) by externalId, as far as they are known."""
    with ledger.read() as db:
        return course_bodies(db, target_id, external_ids)


def accepted_names(ledger: Ledger, target_id: int, external_ids: Sequence[str]) -> dict[str, str]:
    """What the courses are called, by externalId, as far as they are known."""
    bodies = accepted_bodies(ledger, target_id, external_ids)
    return {external_id: name_of(body) for external_id, body in bodies.items()}
