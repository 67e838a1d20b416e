"""How a flow ends in Prefect."""

from prefect.client.schemas.objects import State
from prefect.states import Completed

from tasks.reporting.summary import Summary

WITH_REJECTS = "Completed with rejects"


def to_final_state(summary: Summary) -> Summary | State[Summary]:
    """The flow's result; rejected rows show in the name of the state it ends in."""
    if summary.state != "completed_with_rejects":
        return summary
    message = f"{summary.rejected} rows were rejected; run `coursera-sync status --rejected` for the reasons"
    return Completed(name=WITH_REJECTS, message=message, data=summary)
