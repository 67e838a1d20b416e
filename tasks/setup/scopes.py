"""Sign-ins and scopes: proven without writing."""

import logging

from connectors.errors import AccessError, RequestError
from connectors.learning360.client import NO_SUCH_ID, Learning360Client
from connectors.learning360.errors import MissingScopeError
from tasks.runtime.run_context import RunContext
from tasks.runtime.step import step

BULK_PROBE = f"api/v2/bulk/integrations/{NO_SUCH_ID}/courses"
REQUIRED_SCOPES = {
    "integrations:write": ("PATCH", f"api/v2/integrations/{NO_SUCH_ID}"),
    "integrations:bulk": ("PUT", BULK_PROBE),
    "bulkOperations:read": ("GET", f"api/v2/bulk/operations/{NO_SUCH_ID}"),
}
# Wanted for reading back what 360Learning holds; the daily synchronisation does without.
OPTIONAL_SCOPES = {
    "courseStats:read": ("GET", f"api/v2/courses/stats?courseId[eq]={NO_SUCH_ID}"),
    "courses:read": ("GET", f"api/v2/courses?authorId[eq]={NO_SUCH_ID}"),
    "users:read": ("GET", "api/v2/users?mail[eq]=nobody@example.invalid"),
}

logger = logging.getLogger("coursera_sync.setup")


@step("check the sign-in at Coursera")
async def check_coursera(run: RunContext) -> None:
    """Sign in and read the organisation: proof that credentials and org_id belong together."""
    organisation = await run.coursera.organisation()
    logger.info("Coursera opens the organisation %s", organisation.name or organisation.id)


@step("check the sign-in and the scopes at 360Learning")
async def check_learning360(run: RunContext) -> None:
    """Sign in and try each scope without writing; AccessError names all that are missing."""
    await run.learning360.integrations(run.settings.learning360.platform_name)
    client = run.learning360
    missing = [scope for scope, probe in REQUIRED_SCOPES.items() if not await _granted(client, *probe)]
    if missing:
        raise AccessError(
            f"360Learning does not grant {', '.join(missing)} to LEARNING360_CLIENT_ID: have them added "
            "to the API client in 360Learning's settings."
        )
    if without := await scopes_to_read_back(client):
        run.note(f"Not granted, and needed only to read back what 360Learning holds: {', '.join(without)}")


async def scopes_to_read_back(learning360: Learning360Client) -> list[str]:
    """Which of the scopes that only reading back needs are not granted."""
    return [scope for scope, probe in OPTIONAL_SCOPES.items() if not await _granted(learning360, *probe)]


async def _granted(learning360: Learning360Client, method: str, path: str) -> bool:
    try:
        await learning360.probe(method, path)
    except MissingScopeError:
        return False
    except RequestError:
        return True  # the scope let the request through to be told that there is no such thing
    return True
