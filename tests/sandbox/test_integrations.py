import httpx
import pytest

from sandbox.server import Sandbox
from sandbox.values import Json

PATH = "/api/v2/integrations"
NOBODY = "0" * 24


@pytest.fixture
def body(served: Sandbox) -> Json:
    """A request that the platform accepts."""
    return {
        "externalPlatform": "Coursera for Business",
        "groupId": served.learning360.group_id,
        "authorId": served.learning360.author_id,
        "defaultCompletion": True,
        "defaultProgress": 0,
    }


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_an_integration_is_created_and_found_by_its_name(learning360: httpx.Client, body: Json) -> None:
    created = learning360.post(PATH, json=body)
    assert created.status_code == 201
    assert created.json() == body | {"_id": created.json()["_id"]}
    found = learning360.get(PATH, params={"externalPlatform[eq]": "Coursera for Business"})
    assert found.json() == [created.json()]
    assert "link" not in found.headers
    assert learning360.get(PATH, params={"externalPlatform[eq]": "Other"}).json() == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"externalPlatform": "Udemy"}, (400, "reservedPlatformName")),
        ({"externalPlatform": " coursera "}, (400, "reservedPlatformName")),
        ({"groupId": NOBODY}, (404, "groupNotFound")),
        ({"authorId": NOBODY}, (404, "userNotFound")),
        ({"authorId": "me"}, (400, "badRequest")),
        ({"defaultProgress": 101}, (400, "badRequest")),
        ({"externalPlatform": ""}, (400, "badRequest")),
    ],
    ids=["reserved", "reserved in disguise", "group", "author", "no id", "progress", "blank"],
)
def test_a_creation_is_refused(
    learning360: httpx.Client, body: Json, change: Json, expected: tuple[int, str]
) -> None:
    assert error_of(learning360.post(PATH, json=body | change)) == expected
    assert learning360.get(PATH).json() == []


def test_a_deleted_author_is_not_found(served: Sandbox, learning360: httpx.Client, body: Json) -> None:
    served.learning360.users[served.learning360.author_id]["status"] = "deleted"
    assert error_of(learning360.post(PATH, json=body)) == (404, "userNotFound")


def test_a_name_is_taken_once_in_a_group(served: Sandbox, learning360: httpx.Client, body: Json) -> None:
    assert learning360.post(PATH, json=body).status_code == 201
    assert error_of(learning360.post(PATH, json=body)) == (400, "duplicateExternalPlatform")
    elsewhere = served.learning360.add_group("Elsewhere")["_id"]
    assert learning360.post(PATH, json=body | {"groupId": elsewhere}).status_code == 201


def test_the_reserved_names_can_be_set(served: Sandbox, learning360: httpx.Client, body: Json) -> None:
    served.learning360.options.reserved_names = frozenset({"coursera for business"})
    assert error_of(learning360.post(PATH, json=body)) == (400, "reservedPlatformName")


def test_a_change_keeps_what_it_does_not_name(served: Sandbox, learning360: httpx.Client, body: Json) -> None:
    integration_id = learning360.post(PATH, json=body).json()["_id"]
    changed = learning360.patch(f"{PATH}/{integration_id}", json={"defaultCompletion": False})
    assert changed.status_code == 200
    assert changed.json() == body | {"defaultCompletion": False}
    assert served.learning360.integrations[integration_id]["defaultProgress"] == 0


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"externalPlatform": "Other"}, (400, "duplicateExternalPlatform")),
        ({"externalPlatform": "LinkedIn Learning"}, (400, "reservedPlatformName")),
        ({"groupId": NOBODY}, (404, "groupNotFound")),
        ({"authorId": NOBODY}, (404, "userNotFound")),
        ({"noGroupPropagation": "yes"}, (400, "badRequest")),
    ],
    ids=["taken", "reserved", "group", "author", "wrong type"],
)
def test_a_change_is_refused(
    served: Sandbox, learning360: httpx.Client, body: Json, change: Json, expected: tuple[int, str]
) -> None:
    served.learning360.add_integration("Other")
    integration_id = learning360.post(PATH, json=body).json()["_id"]
    assert error_of(learning360.patch(f"{PATH}/{integration_id}", json=change)) == expected


def test_an_unknown_integration_cannot_be_changed(learning360: httpx.Client) -> None:
    assert error_of(learning360.patch(f"{PATH}/{NOBODY}", json={})) == (404, "integrationNotFound")


def test_the_list_has_pages_of_a_hundred(served: Sandbox, learning360: httpx.Client) -> None:
    for number in range(101):
        served.learning360.add_integration(f"Platform {number}")
    first = learning360.get(PATH)
    assert len(first.json()) == 100
    last = learning360.get(first.links["next"]["url"])
    assert [integration["externalPlatform"] for integration in last.json()] == ["Platform 100"]
    assert "next" not in last.links


def test_bodies_that_are_no_objects_are_refused(learning360: httpx.Client) -> None:
    assert learning360.post(PATH, content=b"no json").status_code == 400
    assert learning360.post(PATH, json=[]).status_code == 400
