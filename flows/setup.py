"""Set up: prove both sign-ins, find or create the integration, put the launch rule in force."""

from functools import partial

from prefect import flow
from prefect.client.schemas.objects import State

from flows.final_state import to_final_state
from flows.run_names import run_name
from tasks.reporting.summary import Summary
from tasks.runtime.run_context import RunContext
from tasks.runtime.run_lifecycle import RunRequest
from tasks.runtime.targets import run_for_each_target
from tasks.setup.integration import notice_other_connectors, set_up_integration
from tasks.setup.probes import run_probes
from tasks.setup.scopes import check_coursera, check_learning360


@flow(name="setup", flow_run_name=run_name, persist_result=False)
async def setup(*, probe: bool = False) -> Summary | State[Summary]:
    """Prove sign-ins, organisation and scopes, and make the integration ready.

    Args:
        probe: Then find out, by reading alone, what the platforms' contracts leave open.
    """
    return to_final_state(await run_for_each_target(RunRequest("setup"), partial(_set_up, probe=probe)))


async def _set_up(run: RunContext, *, probe: bool) -> None:
    await check_coursera(run)
    await check_learning360(run)
    await notice_other_connectors(run)
    run = await set_up_integration(run)
    if probe:
        await run_probes(run)
