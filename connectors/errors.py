"""Errors, named by what the one who meets them can do.

Every message is for a person: what happened, where, and what to do next. It never carries a secret
or a learner's address.
"""

from typing import Any


class SyncError(Exception):
    """A failure with a message for people. What should the caller do? Report it; the run has failed.

    ``summary`` is what the run had done until then, once it is known.
    """

    exit_code = 1
    summary: Any = None


class SettingsError(SyncError):
    """The settings or the command's usage are wrong. Correct them; nothing was asked of anybody yet."""

    exit_code = 2


class MissingSettingsError(SettingsError):
    """Settings are missing and none is wrong. Look where else they may stand, or have them set."""


class AccessError(SyncError):
    """A platform refuses what we are. Change the named setting or have the named right granted."""


class RequestError(SyncError):
    """A platform refuses what we asked, for good. Report it; the same request would fail again."""


class IncompleteReadingError(SyncError):
    """A listing could not be read whole. Send what was read, keep the watermark, archive nothing."""


class TryLaterError(SyncError):
    """Time can mend this. Try again, not before ``retry_after`` seconds where the platform named them."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UnreachableError(TryLaterError):
    """Nothing was ever heard from where a platform should be. See whether the address is right."""


class SlotsTakenError(TryLaterError):
    """All bulk operation slots of the 360Learning platform are in use. Wait politely for one."""


class OutcomeUnknownError(SyncError):
    """A request that is not safe to repeat got no clear answer. Find out what became of it first."""
