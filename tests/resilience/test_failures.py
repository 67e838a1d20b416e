"""A table of what can go wrong on the way to either platform, and what must be true afterwards."""

from email.utils import formatdate
from typing import Any

import pytest

from sandbox.clock import SECOND_MS
from sandbox.faults import Fault
from tests.installation import Sync

COURSES = 3
HTML = "<html><body>We are back in a minute</body></html>"
JSON = {"content-type": "application/json"}

#: Every request of a catalog run that may be repeated: platform, method, path.
PLACES = {
    "sign-in at 360Learning": ("learning360", "POST", "/oauth2/token$"),
    "integrations": ("learning360", "GET", "/api/v2/integrations$"),
    "sign-in at Coursera": ("coursera", "POST", "/oauth2/v1/token$"),
    "pages of the catalog": ("coursera", "GET", "/contents$"),
    "polling": ("learning360", "GET", "/operations/[^/]+$"),
    "results": ("learning360", "GET", "/results$"),
}
SUBMISSION = ("learning360", "PUT", "/bulk/")
Place = tuple[str, str, str]

PASSING: dict[str, dict[str, Any]] = {
    "408": {"status": 408},
    "425": {"status": 425},
    "429": {"status": 429},
    "500": {"status": 500},
    "502": {"status": 502},
    "503": {"status": 503},
    "504": {"status": 504},
    "HTML": {"status": 200, "body": HTML},
    "JSON that breaks off": {"status": 200, "body": '{"elements": [', "headers": JSON},
    "a reset": {"action": "reset"},
    "a lost answer": {"action": "lose"},
    "half an answer": {"action": "half"},
}
AFTER_THE_SUBMISSION = ("polling", "results")


@pytest.fixture(autouse=True)
def _courses(sync: Sync) -> None:
    sync.add_courses(COURSES)


def fault(sync: Sync, place: Place, **fields: Any) -> Fault:
    platform, method, path = place
    action = fields.pop("action", "answer")
    return sync.sandbox.faults.add(action, platform=platform, method=method, path=path, **fields)


def tries(sync: Sync, place: Place) -> int:
    platform, method, path = place
    return len(sync.sandbox.log.select(path, method, platform))


def operations(sync: Sync) -> int:
    """How many bulk operations 360Learning has taken."""
    return len(sync.sandbox.learning360.operations.all)


def submissions(sync: Sync) -> list[str]:
    """How the ledger sees them."""
    return [row["state"] for row in sync.ledger("submissions")]


def heals(sync: Sync) -> None:
    """Without the faults the next run brings everything to its end."""
    sync.sandbox.faults.clear()
    again = sync.catalog()
    assert (again.state, again.accepted + again.unchanged) == ("completed", COURSES)
    assert len(sync.courses()) == COURSES
    assert set(submissions(sync)) <= {"settled", "failed"}
    assert operations(sync) == 1


def has_nothing_left_to_do(sync: Sync) -> None:
    """Another run sends nothing."""
    taken = operations(sync)
    assert sync.catalog().unchanged == COURSES
    assert operations(sync) == taken


@pytest.mark.parametrize("fields", PASSING.values(), ids=PASSING)
def test_what_passes_costs_no_more_than_a_second_try(sync: Sync, fields: dict[str, Any]) -> None:
    faults = [fault(sync, place, times=1, **fields) for place in PLACES.values()]
    summary = sync.catalog()
    assert [one.hits for one in faults] == [1] * len(PLACES)
    assert (summary.state, summary.accepted) == ("completed", COURSES)
    assert (operations(sync), submissions(sync)) == (1, ["settled"])
    assert tries(sync, PLACES["pages of the catalog"]) == 2


@pytest.mark.parametrize(
    ("place", "fields"),
    [
        *((place, "503") for place in PLACES),
        ("pages of the catalog", "HTML"),
        ("polling", "HTML"),
        ("sign-in at Coursera", "a reset"),
        ("results", "a reset"),
        ("results", "half an answer"),
    ],
)
def test_what_stays_fails_after_five_tries_of_two_tasks(sync: Sync, place: str, fields: str) -> None:
    lasting = fault(sync, PLACES[place], **PASSING[fields])
    summary = sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    platform = "Coursera: " if PLACES[place][0] == "coursera" else "360Learning: "
    assert (summary.error or "").startswith(platform)
    assert lasting.hits == 10
    assert max(sync.waits) <= 30
    heals(sync)


@pytest.mark.parametrize(
    ("place", "status"),
    [
        *((place, status) for place in PLACES if place not in AFTER_THE_SUBMISSION for status in (401, 403)),
        *(("pages of the catalog", status) for status in (302, 400, 404, 410)),
        *(("integrations", status) for status in (302, 400, 404)),
    ],
)
def test_what_is_refused_is_not_asked_again(sync: Sync, place: str, status: int) -> None:
    headers = {"location": "https://elsewhere.example.net/"}
    refusal = fault(sync, PLACES[place], status=status, headers=headers, body={})
    summary = sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    # A token that is refused may have been revoked: there is one more try, with a new one.
    assert refusal.hits == (2 if status == 401 and "sign-in" not in place else 1)
    assert (operations(sync), submissions(sync)) == (0, [])


@pytest.mark.parametrize("status", [302, 400, 401, 403], ids=str)
@pytest.mark.parametrize("place", AFTER_THE_SUBMISSION)
def test_what_was_submitted_stays_open_where_its_end_cannot_be_seen(
    sync: Sync, place: str, status: int
) -> None:
    refusal = fault(sync, PLACES[place], status=status, body={})
    assert sync.catalog().exit_code == 1
    assert refusal.hits == (2 if status == 401 else 1)
    assert submissions(sync) == ["sent"]
    heals(sync)


@pytest.mark.parametrize("place", AFTER_THE_SUBMISSION)
def test_rows_of_an_operation_that_the_platform_has_forgotten_are_open_again(sync: Sync, place: str) -> None:
    fault(sync, PLACES[place], status=404, body={})
    summary = sync.catalog()
    assert (summary.state, summary.rejected) == ("completed_with_rejects", COURSES)
    sync.sandbox.faults.clear()
    assert sync.catalog().accepted == COURSES


@pytest.mark.parametrize(
    ("place", "status", "named"),
    [
        ("sign-in at Coursera", 400, "COURSERA_REFRESH_TOKEN"),
        ("sign-in at Coursera", 401, "COURSERA_CLIENT_SECRET"),
        ("pages of the catalog", 401, "COURSERA_API_URL"),
        ("pages of the catalog", 403, "COURSERA_ORG_ID"),
        ("pages of the catalog", 404, "COURSERA_ORG_ID"),
        ("sign-in at 360Learning", 401, "LEARNING360_CLIENT_SECRET"),
        ("integrations", 401, "LEARNING360_API_URL"),
        ("integrations", 403, "integrations:read"),
        ("results", 403, "bulkOperations:read"),
    ],
)
def test_a_refusal_names_what_to_change(sync: Sync, place: str, status: int, named: str) -> None:
    fault(sync, PLACES[place], status=status)
    assert named in (sync.catalog().error or "")


@pytest.mark.parametrize(
    ("seconds", "as_date"), [(7, False), (0, False), (20, True)], ids=["seconds", "at once", "a date"]
)
def test_a_wait_that_is_asked_for_is_kept(
    sync: Sync,
    seconds: int,
    as_date: bool,  # noqa: FBT001 - a parameter of the table
) -> None:
    until = formatdate(sync.clock() / SECOND_MS + seconds, usegmt=True)
    headers = {"retry-after": until if as_date else str(seconds)}
    fault(sync, PLACES["pages of the catalog"], status=429, headers=headers, times=1)
    assert sync.catalog().state == "completed"
    assert sync.waits[0] == pytest.approx(seconds, abs=1)


def test_a_wait_that_is_too_long_ends_the_run(sync: Sync) -> None:
    asked = fault(sync, PLACES["pages of the catalog"], status=429, headers={"retry-after": "3600"})
    assert sync.catalog().exit_code == 1
    assert (asked.hits, sync.waits) == (2, [])


@pytest.mark.parametrize("seconds", ["99999", "9" * 400])
def test_slots_are_not_waited_for_longer_than_our_patience(sync: Sync, seconds: str) -> None:
    taken = {"status": 429, "body": {"error": "bulkOperationsConcurrencyLimitReached"}}
    fault(sync, SUBMISSION, **taken, headers={"retry-after": seconds})
    summary = sync.catalog()
    assert summary.exit_code == 1
    assert "slots were taken by others for 7200 s" in (summary.error or "")
    assert sum(sync.waits) == pytest.approx(2 * 3600, abs=1)


def test_a_busy_platform_is_given_time(sync: Sync) -> None:
    options = sync.sandbox.learning360.options
    options.rate_limited, options.reads_per_second, options.writes_per_second = True, 1, 1
    assert sync.catalog().accepted == COURSES
    assert 429 in {entry.status for entry in sync.sandbox.log.entries}


def test_tokens_that_are_revoked_in_mid_run_are_renewed(sync: Sync) -> None:
    sync.sandbox.coursera.options.page_cap = 1
    sync.sandbox.coursera.before_page = lambda _, start: (
        sync.sandbox.coursera.sign_in.revoke_access_tokens() if start == 0 else None
    )
    sync.meanwhile = sync.sandbox.learning360.access.revoke_tokens
    summary = sync.catalog()
    assert (summary.state, summary.accepted) == ("completed", COURSES)
    assert 401 in {entry.status for entry in sync.sandbox.log.select("/contents$")}
    assert 401 in {entry.status for entry in sync.sandbox.log.select("/operations/")}


def test_tokens_are_renewed_before_they_expire(sync: Sync) -> None:
    sync.sandbox.coursera.options.page_cap = 1
    sync.sandbox.coursera.before_page = lambda _, __: sync.days_pass(29.5 / 60 / 24)
    assert sync.catalog().accepted == COURSES
    assert 401 not in {entry.status for entry in sync.sandbox.log.entries}


NOTHING_DONE: dict[str, dict[str, Any]] = {
    "401": {"status": 401, "body": {"error": "invalid_token"}},
    "425": {"status": 425},
    "429": {"status": 429, "body": {"error": "tooManyRequests"}},
    "429 without a body": {"status": 429},
    "503": {"status": 503},
    "the bulk API is off": {"status": 503, "body": {"error": {"code": "bulkAPIDisabled"}}},
}


@pytest.mark.parametrize("fields", NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_a_submission_that_was_certainly_not_taken_is_sent_again(sync: Sync, fields: dict[str, Any]) -> None:
    fault(sync, SUBMISSION, times=1, **fields)
    assert sync.catalog().accepted == COURSES
    assert (operations(sync), tries(sync, SUBMISSION)) == (1, 2)
    assert tries(sync, ("learning360", "GET", "/operations$")) == 0


AMBIGUOUS = {name: PASSING[name] for name in ("408", "500", "502", "504", "HTML", "a reset")} | {
    "no Location": {"status": 202, "body": None},
}


@pytest.mark.parametrize("fields", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_submission_that_may_have_been_taken_is_looked_for_before_it_is_sent_again(
    sync: Sync, fields: dict[str, Any]
) -> None:
    fault(sync, SUBMISSION, times=1, **fields)
    assert sync.catalog().accepted == COURSES
    assert (operations(sync), tries(sync, SUBMISSION)) == (1, 2)
    asked = [entry.path for entry in sync.sandbox.log.select("/bulk/")]
    first, second = (number for number, path in enumerate(asked) if path.endswith("/courses"))
    assert any(path.endswith("/operations") for path in asked[first:second])


@pytest.mark.parametrize(
    "fields", [PASSING["a lost answer"], PASSING["half an answer"]], ids=["lost", "half"]
)
def test_a_submission_that_was_taken_is_never_sent_again(sync: Sync, fields: dict[str, Any]) -> None:
    fault(sync, SUBMISSION, **fields)
    assert sync.catalog().accepted == COURSES
    assert (operations(sync), tries(sync, SUBMISSION), submissions(sync)) == (1, 1, ["settled"])
    has_nothing_left_to_do(sync)


def test_submissions_that_never_get_an_answer_end_the_run_and_stay_open(sync: Sync) -> None:
    fault(sync, SUBMISSION, status=504)
    summary = sync.catalog()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert tries(sync, SUBMISSION) == 3
    assert submissions(sync) == ["intended"]
    heals(sync)
    has_nothing_left_to_do(sync)


@pytest.mark.parametrize("status", [400, 403, 404], ids=str)
def test_a_submission_that_is_refused_ends_the_run_and_leaves_nothing_open(sync: Sync, status: int) -> None:
    refusal = fault(sync, SUBMISSION, status=status)
    summary = sync.catalog()
    assert (summary.exit_code, summary.accepted, refusal.hits) == (1, 0, 1)
    assert submissions(sync) == ["failed"]
    heals(sync)
