"""What a run tells the Prefect server beside its states, for automations: counts and no addresses."""

import logging

from prefect.context import FlowRunContext
from prefect.events import emit_event

from connectors.ledger.records.refresh_tokens import fingerprint
from tasks.reporting.summary import Summary

RUN_ENDED = "coursera-sync.run.ended"
TOKEN_USED = "coursera-sync.token.used"  # noqa: S105 - an event's name
FLOW, STATE, MANY_REJECTED = "coursera-sync.flow", "coursera-sync.state", "coursera-sync.many-rejected"
NOT_COUNTS = {"flow", "state", "notes", "error", "targets"}

logger = logging.getLogger("coursera_sync.events")


def run_ended(summary: Summary, alert_rejects: int) -> None:
    """Tell how a run ended; ``alert_rejects`` is how many rejected rows are many."""
    many = summary.rejected >= alert_rejects
    labels = {FLOW: summary.flow, STATE: summary.state, MANY_REJECTED: "true" if many else "false"}
    _emit(RUN_ENDED, summary.flow, labels, summary.model_dump(exclude=NOT_COUNTS))


def token_used(org_id: str) -> None:
    """Tell that Coursera has taken the refresh token, which keeps it alive."""
    _emit(TOKEN_USED, f"token.{fingerprint(org_id)[:8]}", {}, {})


def _emit(event: str, what: str, labels: dict[str, str], payload: dict[str, object]) -> None:
    """Emit an event where a run is Prefect's; nothing that goes wrong with it concerns the run."""
    if FlowRunContext.get() is None:
        return
    resource = {"prefect.resource.id": f"coursera-sync.{what}", "prefect.resource.name": what}
    try:
        emit_event(event, resource=resource | labels, payload=payload)
    except Exception as error:  # noqa: BLE001
        logger.warning("Prefect did not take an event (%s)", type(error).__name__)
