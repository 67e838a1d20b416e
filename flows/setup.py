"""Set up: prove both sign-ins, find or create the integration, put the launch rule in force."""

from prefect import flow
from prefect.client.schemas.objects import State

from flows.ending import ended
from flows.naming import run_name
from tasks.integration import align_integration, ensure_integration, prove_coursera, prove_learning360
from tasks.run import open_run
from tasks.summary import Summary


@flow(name="setup", flow_run_name=run_name, persist_result=False)
async def setup() -> Summary | State[Summary]:
    """Prove sign-ins, organisation and scopes, and make the integration ready."""
    async with open_run("setup") as run:
        await prove_coursera(run)
        await prove_learning360(run)
        integration = await ensure_integration(run)
        if integration is not None:
            await align_integration(run, integration)
    return ended(run.summary)
