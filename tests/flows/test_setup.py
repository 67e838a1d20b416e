"""`setup`: both sign-ins and the scopes are proven, the integration is there, the launch rule in force."""

import pytest

from tests.installation import Sync

NOWHERE = "f" * 24
NO_WRITING_SCOPES = ("integrations:read", "integrations:write", "integrations:bulk", "bulkOperations:read")
READING_BACK = ("courseStats:read", "courses:read", "users:read")


def launch_rule(sync: Sync) -> tuple[object, object]:
    found = sync.integration()
    return found["defaultCompletion"], found["defaultProgress"]


def test_setup_creates_the_integration_with_the_launch_rule(sync: Sync) -> None:
    summary = sync.setup()
    assert (summary.state, summary.exit_code) == ("completed", 0)
    assert summary.notes == ["Created the integration Coursera for Business in 360Learning"]
    own = {name: value for name, value in sync.integration().items() if name != "_id"}
    assert own == {
        "externalPlatform": "Coursera for Business",
        "groupId": sync.sandbox.learning360.group_id,
        "authorId": sync.sandbox.learning360.author_id,
        "noGroupPropagation": False,
        "defaultCompletion": True,
        "defaultProgress": 0,
    }


def test_a_second_setup_changes_nothing(sync: Sync) -> None:
    sync.setup()
    before = sync.platform()
    again = sync.setup()
    assert (again.state, again.notes) == ("completed", [])
    assert sync.platform() == before
    assert sync.requests("POST", "/api/v2/integrations") == 1


def test_an_integration_that_people_made_is_taken_over(sync: Sync) -> None:
    made = sync.sandbox.learning360.add_integration(defaultCompletion=True, defaultProgress=0)
    assert sync.setup().notes == []
    assert sync.integration()["_id"] == made["_id"]


def test_an_integration_of_the_same_name_in_another_group_is_not_ours(sync: Sync) -> None:
    platform = sync.sandbox.learning360
    other = platform.add_integration(groupId=platform.add_group("Others")["_id"])
    sync.setup()
    groups = [one["groupId"] for one in platform.integrations.values()]
    assert groups == [other["groupId"], platform.group_id]


def test_setup_takes_the_platform_name_from_the_settings(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEARNING360_PLATFORM_NAME", "Our Coursera")
    sync.setup()
    assert sync.integration()["externalPlatform"] == "Our Coursera"


def test_setup_signs_in_with_client_credentials_where_there_is_no_refresh_token(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COURSERA_REFRESH_TOKEN")
    for name, value in sync.sandbox.environment("client_credentials").items():
        monkeypatch.setenv(name, value)
    assert sync.setup().state == "completed"
    assert sync.requests("POST", "/oauth2/client_credentials/token") == 1


def test_an_author_that_the_settings_change_is_changed_and_told(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.setup()
    author = sync.sandbox.learning360.add_user("second.admin@example.com")["_id"]
    monkeypatch.setenv("LEARNING360_AUTHOR_ID", author)
    (note,) = sync.setup().notes
    assert "authorId" in note
    assert sync.integration()["authorId"] == author


def test_the_propagation_that_the_settings_change_is_changed_and_told(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.setup()
    monkeypatch.setenv("LEARNING360_NO_GROUP_PROPAGATION", "true")
    (note,) = sync.setup().notes
    assert "noGroupPropagation" in note
    assert sync.integration()["noGroupPropagation"] is True


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        ("setup", {"defaultCompletion": False, "defaultProgress": 5}),
        ("catalog", {"defaultCompletion": False}),
        ("statistics", {"defaultProgress": 20}),
    ],
)
def test_a_launch_rule_that_somebody_changed_is_restored_and_told(
    sync: Sync, command: str, changed: dict[str, object]
) -> None:
    sync.setup()
    sync.integration().update(changed)
    summary = getattr(sync, command)()
    assert (summary.state, launch_rule(sync)) == ("completed", (True, 0))
    (note,) = summary.notes
    assert "the launch rule was not in force" in note


@pytest.mark.parametrize("command", ["catalog", "statistics"])
def test_a_dry_run_only_says_that_the_launch_rule_is_not_in_force(sync: Sync, command: str) -> None:
    sync.setup()
    sync.integration().update(defaultCompletion=False)
    summary = getattr(sync, command)(dry_run=True)
    assert (summary.state, launch_rule(sync)) == ("dry_run", (False, 0))
    (note,) = summary.notes
    assert "A run would change defaultCompletion" in note


def test_under_the_open_rule_launches_stay_open(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_LAUNCH_RULE", "open")
    sync.setup()
    assert launch_rule(sync) == (False, 0)
    monkeypatch.delenv("SYNC_LAUNCH_RULE")
    sync.setup()
    assert launch_rule(sync) == (True, 0)


@pytest.mark.parametrize(
    ("setting", "value", "named"),
    [
        ("LEARNING360_PLATFORM_NAME", "Udemy", "LEARNING360_PLATFORM_NAME"),
        ("LEARNING360_GROUP_ID", NOWHERE, "LEARNING360_GROUP_ID"),
        ("LEARNING360_AUTHOR_ID", NOWHERE, "LEARNING360_AUTHOR_ID"),
        ("LEARNING360_CLIENT_ID", "nobody", "LEARNING360_CLIENT_ID"),
        ("LEARNING360_CLIENT_SECRET", "wrong-secret", "LEARNING360_CLIENT_SECRET"),
        ("COURSERA_CLIENT_ID", "nobody", "COURSERA_CLIENT_ID"),
        ("COURSERA_CLIENT_SECRET", "wrong-secret", "COURSERA_CLIENT_SECRET"),
        ("COURSERA_REFRESH_TOKEN", "wrong-secret", "COURSERA_REFRESH_TOKEN"),
        ("COURSERA_ORG_ID", "nobody-at-all", "knows no such organisation: check COURSERA_ORG_ID"),
        ("COURSERA_ORG_ID", "other-company", "does not open this organisation"),
    ],
    ids=[
        "reserved name",
        "unknown group",
        "unknown author",
        "unknown client of 360Learning",
        "wrong secret of 360Learning",
        "unknown client of Coursera",
        "wrong secret of Coursera",
        "wrong refresh token",
        "no such organisation",
        "another company's organisation",
    ],
)
def test_what_a_platform_refuses_names_the_setting_to_change(
    sync: Sync, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, named: str
) -> None:
    monkeypatch.setenv(setting, value)
    summary = sync.setup()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert summary.error is not None
    assert named in summary.error
    assert setting in summary.error
    assert "secret" not in summary.error
    assert sync.sandbox.learning360.integrations == {}


def test_an_app_of_a_personal_account_is_told_so(sync: Sync) -> None:
    sync.sandbox.coursera.options.personal_app = True
    assert "not by a personal account" in (sync.setup().error or "")


def test_an_author_who_is_gone_is_refused_for_an_integration_that_is_there(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.setup()
    monkeypatch.setenv("LEARNING360_AUTHOR_ID", NOWHERE)
    summary = sync.setup()
    assert summary.state == "failed"
    assert "LEARNING360_AUTHOR_ID" in (summary.error or "")
    assert sync.integration()["authorId"] == sync.sandbox.learning360.author_id


@pytest.mark.parametrize("scope", NO_WRITING_SCOPES)
def test_a_required_scope_that_is_missing_is_named(sync: Sync, scope: str) -> None:
    sync.sandbox.learning360.client.scopes.remove(scope)
    summary = sync.setup()
    assert (summary.state, summary.exit_code) == ("failed", 1)
    assert scope in (summary.error or "")
    assert sync.sandbox.learning360.integrations == {}


def test_all_missing_scopes_are_named_at_once(sync: Sync) -> None:
    sync.sandbox.learning360.client.scopes -= {"integrations:bulk", "bulkOperations:read"}
    error = sync.setup().error or ""
    assert "integrations:bulk, bulkOperations:read" in error
    assert "integrations:write" not in error


def test_scopes_that_only_reading_back_needs_are_a_note(sync: Sync) -> None:
    sync.sandbox.learning360.client.scopes -= set(READING_BACK)
    summary = sync.setup()
    assert (summary.state, summary.exit_code) == ("completed", 0)
    assert any(all(scope in note for scope in READING_BACK) for note in summary.notes)


@pytest.mark.parametrize(
    ("scopes", "told"), [(set(), "Coursera (1 courses)"), ({"courses:read"}, "Coursera.")]
)
def test_courses_that_another_connector_brought_are_noticed(sync: Sync, scopes: set[str], told: str) -> None:
    platform = sync.sandbox.learning360
    platform.add_integration("Coursera")
    platform.add_integration("Something else")
    platform.add_integration("Coursera elsewhere", groupId=platform.add_group("Others")["_id"])
    platform.add_course("by-the-vendor")
    platform.client.scopes -= scopes
    (note,) = [one for one in sync.setup().notes if "Another connector" in one]
    assert told in note
    assert "Something else" not in note
    assert "elsewhere" not in note


def test_scopes_are_proven_without_writing(sync: Sync) -> None:
    sync.setup()
    assert sync.sandbox.learning360.operations.all == []
    assert all(entry.status == 404 for entry in sync.log("PUT", "/bulk/"))
    assert all(entry.status == 404 for entry in sync.log("PATCH", "/integrations/"))


def test_a_refresh_token_that_coursera_renewed_is_kept(sync: Sync) -> None:
    sync.sandbox.coursera.options.rotate_refresh_token = True
    assert [sync.setup().state for _ in range(3)] == ["completed"] * 3
    (kept,) = sync.ledger("renewed_tokens")
    assert kept["refresh_token"] == sync.sandbox.coursera.sign_in.refresh_token


def test_a_refresh_token_that_is_new_in_the_settings_wins(
    sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync.sandbox.coursera.options.rotate_refresh_token = True
    sync.setup()
    sync.sandbox.coursera.sign_in.refresh_tokens.clear()
    assert "COURSERA_REFRESH_TOKEN" in (sync.setup().error or "")
    monkeypatch.setenv("COURSERA_REFRESH_TOKEN", sync.sandbox.coursera.sign_in.new_refresh_token())
    assert [sync.setup().state for _ in range(2)] == ["completed"] * 2
