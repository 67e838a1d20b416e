"""What a flow run is called in Prefect: what it does, and what sets it apart from the daily one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect.context import FlowRunContext

SWITCHES = {"full": "in full", "fresh": "fresh", "dry_run": "dry run", "repair": "repair", "adopt": "adopt"}
BOUNDS = {"active_from": "from", "active_to": "to"}


def run_name() -> str:
    """The name of the flow run that begins, such as "statistics, in full, dry run"."""
    context = FlowRunContext.get()
    if context is None or context.flow is None:
        raise RuntimeError("only a flow run has a name")
    try:
        told = _told(context.parameters or {})
    except (AttributeError, TypeError, ValueError):
        told = []  # parameters of another type: the run is refused for them, and not for its name
    return ", ".join([context.flow.name, *told])


def _told(parameters: Mapping[str, Any]) -> list[str]:
    moments = [f"{word} {_moment(parameters[name])}" for name, word in BOUNDS.items() if parameters.get(name)]
    programs = parameters.get("programs") or []
    some = [f"program {' '.join(programs)}"] if len(programs) == 1 else [f"{len(programs)} programs"]
    switches = [word for name, word in SWITCHES.items() if parameters.get(name)]
    return [*moments, *(some if programs else []), *switches]


def _moment(value: datetime | str) -> str:
    """A day where it is one, else the minute too."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return f"{moment:%Y-%m-%d}" if moment.hour == moment.minute == 0 else f"{moment:%Y-%m-%d %H:%M}"
