"""Creating and changing integrations."""

from sandbox.learning360.errors import coded, unwritten
from sandbox.learning360.schema import Check, boolean, complaint, number, record, text
from sandbox.learning360.state import Learning360
from sandbox.values import Json, is_object_id

_FIELDS = {
    "externalPlatform": text(1),
    "authorId": text(pattern=is_object_id),
    "groupId": text(pattern=is_object_id),
    "defaultCompletion": boolean,
    "defaultProgress": number(0, 100, integer=True),
    "noGroupPropagation": boolean,
    "externalPlatformLogoUrl": text(),
    "externalPlatformUnicolorLogoUrl": text(),
}
_new = record(_FIELDS, ["externalPlatform", "authorId", "groupId"])
_patch = record(_FIELDS)


def create(platform: Learning360, body: Json) -> Json:
    """A new integration; raises RefusedError."""
    _expect_valid(_new, body)
    _expect_allowed(platform, body)
    _expect_unique(platform, "", body)
    integration = {name: body[name] for name in _FIELDS if name in body} | {"_id": platform.new_id()}
    platform.integrations[integration["_id"]] = integration
    return integration


def change(platform: Learning360, integration_id: str, body: Json) -> Json:
    """The changed integration, without its id as the contract has it; raises RefusedError."""
    integration = platform.integration(integration_id)
    _expect_valid(_patch, body)
    merged = integration | {name: body[name] for name in _FIELDS if name in body}
    _expect_allowed(platform, merged)
    _expect_unique(platform, integration_id, merged)
    platform.integrations[integration_id] = merged
    return {name: value for name, value in merged.items() if name != "_id"}


def expect_free_name(platform: Learning360, name: str) -> None:
    """Raises a 400 for a name that the platform's own connectors hold."""
    if name.strip().lower() in platform.options.reserved_names:
        raise coded(400, "reservedPlatformName")


def _expect_valid(check: Check, body: Json) -> None:
    if found := complaint(check, body):
        raise unwritten(found)


def _expect_allowed(platform: Learning360, wanted: Json) -> None:
    expect_free_name(platform, wanted["externalPlatform"])
    if wanted["groupId"] not in platform.groups:
        raise coded(404, "groupNotFound")
    author = platform.users.get(wanted["authorId"])
    if author is None or author["status"] == "deleted":
        raise coded(404, "userNotFound")


def _expect_unique(platform: Learning360, own_id: str, wanted: Json) -> None:
    name = (wanted["groupId"], wanted["externalPlatform"])
    for other_id, other in platform.integrations.items():
        if other_id != own_id and (other["groupId"], other["externalPlatform"]) == name:
            raise coded(400, "duplicateExternalPlatform")
