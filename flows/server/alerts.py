"""The alerts: automations on the Prefect server that watch the runs while nobody does.

Each sends a notification where a notification block of the name ALERTS_BLOCK is saved on the server. Without
one they do nothing but show, as a firing, among the server's events.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ActionTypes, ChangeFlowRunState, DoNothing, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.events.schemas.events import ResourceSpecification

from tasks.reporting.events import FLOW, MANY_REJECTED, RUN_ENDED, STATE, TOKEN_USED

ALERTS_BLOCK = "coursera-sync-alerts"
FLOWS = ("setup", "catalog", "statistics", "backfill", "reconcile", "restore")
# Those of all deployments in prefect.yaml.
TAGS = ("coursera", "360learning")
DAILY = ("catalog", "statistics")
DONE = ["completed", "completed_with_rejects"]

DAILY_PATIENCE = timedelta(hours=26)
# A refresh token dies when it is not used for 14 days: four of them are left to act.
TOKEN_PATIENCE = timedelta(days=10)
# Prefect's runs give a sign of life every three minutes.
LIFE_PATIENCE = timedelta(minutes=10)

PAGE = 200


def _failed() -> EventTrigger:
    return EventTrigger(
        posture=Posture.Reactive,
        expect={"prefect.flow-run.Failed", "prefect.flow-run.Crashed"},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_ours(),
    )


def _ours() -> list[ResourceSpecification]:
    """What tells our deployments' runs: other teams have flows of these names, too, but not with our tags.

    Tags are all that both a state's event and a sign of life name besides the flow.
    """
    flow = {"prefect.resource.role": "flow", "prefect.resource.name": list(FLOWS)}
    tags = [{"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"} for tag in TAGS]
    return [ResourceSpecification.model_validate(one) for one in (flow, *tags)]


def _overdue(flow: str) -> EventTrigger:
    return EventTrigger(
        posture=Posture.Proactive, expect={RUN_ENDED}, match={FLOW: flow, STATE: DONE}, within=DAILY_PATIENCE
    )


def _token_unused() -> EventTrigger:
    """It watches only tokens that have been used: a sign-in by client credentials has none."""
    return EventTrigger(
        posture=Posture.Proactive,
        after={TOKEN_USED},
        expect={TOKEN_USED},
        for_each={"prefect.resource.id"},
        within=TOKEN_PATIENCE,
    )


def _many_rejected() -> EventTrigger:
    return EventTrigger(
        posture=Posture.Reactive, expect={RUN_ENDED}, match={STATE: DONE, MANY_REJECTED: "true"}
    )


def _gone_silent() -> EventTrigger:
    return EventTrigger(
        posture=Posture.Proactive,
        after={"prefect.flow-run.heartbeat"},
        expect={"prefect.flow-run.*"},
        match={"prefect.resource.id": "prefect.flow-run.*"},
        match_related=_ours(),
        for_each={"prefect.resource.id"},
        within=LIFE_PATIENCE,
    )


def templates(action: ActionTypes) -> list[AutomationCore]:
    """The automations as they should be, with what an alert is to do."""
    overdue = [
        _alert(
            f"no good {flow} run for 26 hours",
            f"No run of {flow} has ended well for 26 hours. Is a worker up, and what do its runs say?",
            _overdue(flow),
            action,
        )
        for flow in DAILY
    ]
    return [
        _alert(
            "a run failed", "A run failed or crashed. Its page says why and what to do.", _failed(), action
        ),
        *overdue,
        _alert(
            "refresh token unused for 10 days",
            "Coursera's refresh token has not been used for 10 days, and dies after 14: run the setup.",
            _token_unused(),
            action,
        ),
        _alert(
            "many rows put aside",
            "A run rejected as many rows as SYNC_ALERT_REJECTS, or more. `coursera-sync status --rejected` "
            "says why.",
            _many_rejected(),
            action,
        ),
        AutomationCore(
            name="coursera-sync: a run gave no sign of life",
            description="A run whose worker died with it is marked as crashed, so that the next can begin.",
            trigger=_gone_silent(),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message="It gave no sign of life.")],
        ),
    ]


def _alert(name: str, description: str, trigger: EventTrigger, action: ActionTypes) -> AutomationCore:
    full_name = f"coursera-sync: {name}"
    if isinstance(action, SendNotification):
        action = action.model_copy(update={"subject": full_name, "body": description})
    return AutomationCore(name=full_name, description=description, trigger=trigger, actions=[action])


async def install(client: PrefectClient) -> list[str]:
    """Create the automations, or bring those that are there up to date; returns what was done, in words.

    One that people have switched off stays off.
    """
    block_id = await _alerts_block(client)
    action = DoNothing() if block_id is None else SendNotification(block_document_id=block_id, body="")
    done = [await _installed(client, template) for template in templates(action)]
    if block_id is None:
        done.append(f"The alerts notify nobody: save a notification block named {ALERTS_BLOCK}, and repeat")
    return done


async def _installed(client: PrefectClient, template: AutomationCore) -> str:
    there = await client.read_automations_by_name(template.name)
    if not there:
        await client.create_automation(template)
        return f"Created the alert {template.name!r}"
    if _meaning(there[0]) == _meaning(template):
        return f"Found the alert {template.name!r}"
    template = template.model_copy(update={"enabled": there[0].enabled})
    await client.update_automation(there[0].id, template)
    return f"Brought the alert {template.name!r} up to date"


def _meaning(automation: AutomationCore) -> object:
    """What an automation does, without its ids.

    One that is right is left alone: an update would make it forget since when it has been waiting.
    """
    return automation.model_dump(
        include={"description": True, "actions": True, "trigger": set(EventTrigger.model_fields) - {"id"}},
    )


async def _alerts_block(client: PrefectClient) -> UUID | None:
    """The notification block of our name; Prefect lists blocks only page by page."""
    offset = 0
    while page := await client.read_block_documents(offset=offset, limit=PAGE, include_secrets=False):
        found = _named(page)
        if found is not None:
            return found
        offset += PAGE
    return None


def _named(page: Sequence[object]) -> UUID | None:
    ids = (one.id for one in page if getattr(one, "name", None) == ALERTS_BLOCK)  # type: ignore[attr-defined]
    return next(ids, None)
