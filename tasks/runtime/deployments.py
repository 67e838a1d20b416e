"""Runs of other deployments, on whatever worker takes them."""

from collections.abc import Awaitable, Mapping
from typing import cast

from prefect.client.schemas.objects import FlowRun
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound

from connectors.errors import SyncError

POLL_SECONDS = 1.0


async def run_elsewhere(deployment: str, parameters: Mapping[str, object]) -> bool:
    """Have a run of a deployment begun, and wait for its end; whether it completed."""
    begun = run_deployment(deployment, parameters=dict(parameters), poll_interval=POLL_SECONDS)
    try:
        flow_run = await cast("Awaitable[FlowRun]", begun)
    except ObjectNotFound as error:
        raise SyncError(
            f"This Prefect server has no deployment {deployment}: `prefect deploy --all` brings it."
        ) from error
    return flow_run.state is not None and flow_run.state.is_completed()
