"""The errors of 360Learning's API, by their documented codes."""

from sandbox.web import RefusedError

_MESSAGES = {
    "invalid_scope": "The access token does not have the required scope.",
    "integrationNotFound": "The integration does not exist.",
    "groupNotFound": "The group does not exist.",
    "userNotFound": "The user does not exist.",
    "duplicateExternalPlatform": "An integration already exists for this platform in this group.",
    "reservedPlatformName": "The platform name is reserved.",
    "invalidInput": "The input of a bulk operation must be an array.",
    "inputTooLong": "The input exceeds the maximum size of this operation.",
    "bulkOperationsConcurrencyLimitReached": "Too many bulk operations are in progress.",
    "bulkAPIDisabled": "The bulk API is temporarily disabled.",
    "bulkOperationNotFound": "The bulk operation does not exist.",
    "bulkOperationNotRun": "The bulk operation has not run yet.",
    "courseNotBelongToIntegration": "The course does not belong to this integration.",
}


def coded(status: int, code: str, message: str = "") -> RefusedError:
    """An error as an object: code and message."""
    return RefusedError(status, {"error": {"code": code, "message": message or _MESSAGES[code]}})


def flat(status: int, error: str) -> RefusedError:
    """An error as a bare string, as the platform writes those about tokens and rates."""
    return RefusedError(status, {"error": error})


def unwritten(message: str) -> RefusedError:
    """A 400 for what the published contract does not describe: a header or a body that is wrong."""
    return RefusedError(400, {"error": {"code": "badRequest", "message": message}})
