import httpx
import pytest

from sandbox.clock import DAY_MS, ManualClock
from sandbox.coursera.sign_in import Style
from sandbox.server import Sandbox

REFRESH: Style = "refresh_token"
CLIENT: Style = "client_credentials"


def sign_in(http: httpx.Client, settings: dict[str, str], **changes: str) -> httpx.Response:
    """Asks for an access token in the way that the settings are made for."""
    client = settings["COURSERA_CLIENT_ID"], settings["COURSERA_CLIENT_SECRET"]
    if "COURSERA_REFRESH_TOKEN" not in settings:
        form = {"grant_type": CLIENT} | changes
        return http.post(settings["COURSERA_TOKEN_URL"], data=form, auth=client)
    form = {"grant_type": REFRESH, "client_id": client[0], "client_secret": client[1]}
    form["refresh_token"] = settings["COURSERA_REFRESH_TOKEN"]
    return http.post(settings["COURSERA_TOKEN_URL"], data=form | changes)


def organization(http: httpx.Client, settings: dict[str, str], token: str) -> httpx.Response:
    url = f"{settings['COURSERA_API_URL']}/businesses.v1/{settings['COURSERA_ORG_ID']}"
    return http.get(url, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(("style", "lifetime_s"), [(REFRESH, 1_800), (CLIENT, 1_799)])
def test_a_token_opens_the_organization_until_it_expires(
    served: Sandbox, http: httpx.Client, clock: ManualClock, style: Style, lifetime_s: int
) -> None:
    settings = served.environment(style)
    answer = sign_in(http, settings).json()
    assert (answer["expires_in"], answer["token_type"]) == (lifetime_s, "Bearer")
    assert (
        organization(http, settings, answer["access_token"]).json()["elements"][0]["id"]
        == served.coursera.org_id
    )
    clock.advance(ms=lifetime_s * 1_000 - 1)
    assert organization(http, settings, answer["access_token"]).status_code == 200
    clock.advance(ms=1)
    assert organization(http, settings, answer["access_token"]).status_code == 401


@pytest.mark.parametrize(("style", "other"), [(REFRESH, CLIENT), (CLIENT, REFRESH)])
def test_a_token_opens_only_its_own_api_base(
    served: Sandbox, http: httpx.Client, style: Style, other: Style
) -> None:
    token = sign_in(http, served.environment(style)).json()["access_token"]
    assert organization(http, served.environment(other), token).status_code == 401


@pytest.mark.parametrize(
    ("setting", "status", "error"),
    [
        ("COURSERA_CLIENT_ID", 401, "invalid_client"),
        ("COURSERA_CLIENT_SECRET", 401, "invalid_client"),
        ("COURSERA_REFRESH_TOKEN", 400, "invalid_grant"),
    ],
)
def test_wrong_credentials_are_refused(
    served: Sandbox, http: httpx.Client, setting: str, status: int, error: str
) -> None:
    answer = sign_in(http, served.environment() | {setting: "wrong"})
    assert (answer.status_code, answer.json()["error"]) == (status, error)


@pytest.mark.parametrize("header", ["", "Basic", "Basic ???", "Basic bm9jb2xvbg==", "Bearer x"])
def test_client_credentials_need_a_basic_header(served: Sandbox, http: httpx.Client, header: str) -> None:
    url = served.environment(CLIENT)["COURSERA_TOKEN_URL"]
    answer = http.post(url, data={"grant_type": CLIENT}, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("style", [REFRESH, CLIENT])
def test_another_grant_is_refused(served: Sandbox, http: httpx.Client, style: Style) -> None:
    answer = sign_in(http, served.environment(style), grant_type="password")
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_refresh_token_lives_on_with_each_use_and_dies_after_two_weeks_without(
    served: Sandbox, http: httpx.Client, clock: ManualClock
) -> None:
    settings = served.environment()
    for _ in range(3):
        clock.advance(ms=14 * DAY_MS - 1)
        answer = sign_in(http, settings)
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
    clock.advance(days=14)
    assert sign_in(http, settings).json()["error"] == "invalid_grant"


def test_rotation_brings_a_new_refresh_token_and_ends_the_old(served: Sandbox, http: httpx.Client) -> None:
    served.coursera.options.rotate_refresh_token = True
    old = served.environment()
    renewed = sign_in(http, old).json()["refresh_token"]
    assert served.environment()["COURSERA_REFRESH_TOKEN"] == renewed != old["COURSERA_REFRESH_TOKEN"]
    assert sign_in(http, old).json()["error"] == "invalid_grant"
    assert sign_in(http, served.environment()).status_code == 200


@pytest.mark.parametrize(
    ("org_id", "status"),
    [("no-such-company", 404), ("other-company", 403)],
    ids=["unknown", "closed to the client"],
)
def test_another_organization_is_refused(
    served: Sandbox, http: httpx.Client, org_id: str, status: int
) -> None:
    settings = served.environment() | {"COURSERA_ORG_ID": org_id}
    token = sign_in(http, settings).json()["access_token"]
    assert organization(http, settings, token).status_code == status


def test_a_personal_app_is_closed_out(served: Sandbox, coursera: httpx.Client) -> None:
    served.coursera.options.personal_app = True
    assert coursera.get("").status_code == 403


def test_revoked_tokens_are_refused(served: Sandbox, coursera: httpx.Client) -> None:
    assert coursera.get("").status_code == 200
    served.coursera.sign_in.revoke_access_tokens()
    assert coursera.get("").status_code == 401
    assert coursera.get("", headers={"Authorization": ""}).status_code == 401
