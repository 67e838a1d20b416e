"""The integration in 360Learning: proven, found or created, with the launch rule in force."""

import logging
from collections import Counter

from connectors.errors import OutcomeUnknownError, SyncError
from connectors.learning360.errors import IntegrationExistsError, MissingScopeError
from connectors.learning360.models import Integration, IntegrationBody, IntegrationPatch
from connectors.ledger.records.targets import Target, set_integration
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step

# A launch leaves the course completed at 0 % (the vendor's rule), or open at 0 %.
LAUNCH_COMPLETES = {"completed": True, "open": False}
LAUNCH_PROGRESS = 0

logger = logging.getLogger("coursera_sync.integration")


async def ensure_integration(run: RunContext) -> RunContext:
    """Find the integration or create it, and put the launch rule in force where someone changed it.

    Returns the run with the target as it is then. A dry run only says what it would do, and there may be no
    integration yet.
    """
    target, _ = await _ensured(run)
    return run.with_target(target)


async def set_up_integration(run: RunContext) -> RunContext:
    """The same, and bring its author and its propagation in line with the settings."""
    target, integration = await _ensured(run)
    run = run.with_target(target)
    if integration is not None:
        await _align(run, integration)
    return run


async def require_integration(run: RunContext) -> RunContext:
    """Find the integration; SyncError where there is none to read back from."""
    return run.with_target(await _required(run))


@step("check the integration in 360Learning")
async def _ensured(run: RunContext) -> tuple[Target, Integration | None]:
    found = await _find(run)
    if found is None and run.dry_run:
        run.note("There is no integration in 360Learning yet: a run would create it")
        return run.target, None
    integration = found or await _create(run)
    return await _known(run, integration, knows_remote=found is None), integration


@step("find the integration in 360Learning")
async def _required(run: RunContext) -> Target:
    found = await _find(run)
    if found is None:
        raise SyncError(
            f"There is no integration {run.settings.learning360.platform_name} in 360Learning's group: run "
            "`coursera-sync setup` and `coursera-sync catalog` first."
        )
    return await _known(run, found, knows_remote=False)


async def _known(run: RunContext, integration: Integration, *, knows_remote: bool) -> Target:
    """Note which integration the target is, and put the launch rule in force; see `set_integration`."""
    target = run.target
    if integration.id != target.integration_id:
        with run.ledger.begin() as db:
            target = set_integration(db, target, run.id, integration.id, knows_remote=knows_remote)
    await _change(run, integration, _launch_rule(run, integration), "the launch rule was not in force")
    return target


@step("bring the integration in line with the settings")
async def _align(run: RunContext, integration: Integration) -> None:
    """Change the author and the propagation to subgroups where the settings differ."""
    settings = run.settings.learning360
    patch: IntegrationPatch = {}
    if integration.author_id != settings.author_id:
        patch["authorId"] = settings.author_id
    if integration.no_group_propagation != settings.no_group_propagation:
        patch["noGroupPropagation"] = settings.no_group_propagation
    await _change(run, integration, patch, "the settings differ from the integration")


@step("look for courses of other connectors")
async def notice_other_connectors(run: RunContext) -> None:
    """Tell of other integrations of the group that look like Coursera's: their courses stand beside ours."""
    settings = run.settings.learning360
    others = [
        one.external_platform
        for one in await run.learning360.other_integrations(settings.platform_name)
        if one.group_id == settings.group_id and "coursera" in one.external_platform.lower()
    ]
    if not others:
        return
    counts = await _courses_of(run, others)
    told = ", ".join(f"{name} ({counts[name]} courses)" if name in counts else name for name in others)
    run.note(
        f"Another connector brought Coursera's courses to this group: {told}. They stand beside those of "
        f"{settings.platform_name}; docs/leaving-the-vendors-connector.md leads through the change"
    )


async def _courses_of(run: RunContext, names: list[str]) -> Counter[str]:
    """How many published courses integrations have in the group; nothing where courses:read is missing."""
    counts = Counter(dict.fromkeys(names, 0))
    try:
        async for page in run.learning360.external_courses(run.settings.learning360.group_id):
            of = (str(one.get("externalPlatform")) for one in page if one["status"] == "published")
            counts.update(name for name in of if name in counts)
    except MissingScopeError:
        return Counter()
    return counts


async def _find(run: RunContext) -> Integration | None:
    settings = run.settings.learning360
    in_any_group = await run.learning360.integrations(settings.platform_name)
    mine = (settings.group_id, settings.platform_name)
    return next((one for one in in_any_group if (one.group_id, one.external_platform) == mine), None)


async def _create(run: RunContext) -> Integration:
    settings = run.settings.learning360
    body: IntegrationBody = {
        "externalPlatform": settings.platform_name,
        "groupId": settings.group_id,
        "authorId": settings.author_id,
        "noGroupPropagation": settings.no_group_propagation,
        "defaultCompletion": LAUNCH_COMPLETES[run.settings.sync.launch_rule],
        "defaultProgress": LAUNCH_PROGRESS,
    }
    try:
        created = await run.learning360.create_integration(body)
    except (IntegrationExistsError, OutcomeUnknownError):
        # An answer got lost, or another run was quicker: then it is there now.
        existing = await _find(run)
        if existing is None:
            raise
        return existing
    run.note(f"Created the integration {settings.platform_name} in 360Learning")
    return created


def _launch_rule(run: RunContext, integration: Integration) -> IntegrationPatch:
    completes = LAUNCH_COMPLETES[run.settings.sync.launch_rule]
    if integration.default_completion == completes and integration.default_progress == LAUNCH_PROGRESS:
        return {}
    return {"defaultCompletion": completes, "defaultProgress": LAUNCH_PROGRESS}


async def _change(run: RunContext, integration: Integration, patch: IntegrationPatch, why: str) -> None:
    if not patch:
        return
    what = ", ".join(patch)
    if run.dry_run:
        run.note(f"A run would change {what} of the integration: {why}")
        return
    await run.learning360.change_integration(integration.id, patch)
    run.note(f"Changed {what} of the integration: {why}")
