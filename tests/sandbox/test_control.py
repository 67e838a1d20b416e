import httpx
import pytest

from sandbox import snapshot
from sandbox.clock import MANUAL_START_MS, system_clock
from sandbox.server import Sandbox, running
from sandbox.values import Json
from sandbox.world import Sizes, World

MAIL = "a@example.com"


def post(client: httpx.Client, route: str, /, **body: object) -> Json:
    answer = client.post(route, json=body)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


@pytest.fixture(autouse=True)
def _courses(sandbox: Sandbox) -> None:
    sandbox.learning360.add_integration(defaultCompletion=True, defaultProgress=0)
    for name in "AB":
        sandbox.learning360.add_course(name)
    sandbox.learning360.add_user(MAIL)


def test_it_names_its_routes(control: httpx.Client) -> None:
    assert "POST /launch" in control.get("/").json()["routes"]


def test_it_tells_the_settings(served: Sandbox, control: httpx.Client) -> None:
    assert control.get("/environment").json() == served.environment()


def test_a_learner_walks_a_path(control: httpx.Client) -> None:
    path = post(control, "/paths", name="Steps", externalIds=["A", "B"])
    refused = control.post("/launch", json={"mail": MAIL, "externalId": "B", "pathId": path["_id"]})
    assert (refused.status_code, refused.json()) == (409, {"message": "The step is locked: B"})
    launched = post(control, "/launch", mail=MAIL, externalId="A", pathId=path["_id"])
    assert (launched["progress"], launched["origin"]) == (0, "launch")
    assert launched["completedAt"] == launched["lastActivityAt"]
    steps = control.get(f"/paths/{path['_id']}/steps", params={"mail": MAIL}).json()
    assert [step["state"] for step in steps["steps"]] == ["completed", "open"]
    assert steps["successful"] is False


@pytest.mark.parametrize(("path_id", "mail"), [("none", MAIL), (None, "nobody@example.com")])
def test_unknown_paths_and_learners_are_a_404(
    served: Sandbox, control: httpx.Client, path_id: str | None, mail: str
) -> None:
    known = served.learning360.add_path("Steps", "A").id
    assert control.get(f"/paths/{path_id or known}/steps", params={"mail": mail}).status_code == 404


def test_people_add_tags(served: Sandbox, control: httpx.Client) -> None:
    assert post(control, "/tags", externalId="A", tag="onboarding") == {"tags": ["onboarding"]}
    assert served.learning360.course("A").tags == ["onboarding"]


def test_faults_are_added_looked_at_and_cleared(served: Sandbox, control: httpx.Client) -> None:
    post(control, "/faults", action="answer", path="users", status=502, times=3)
    [fault] = control.get("/faults").json()["faults"]
    assert (fault["action"], fault["status"], fault["hits"]) == ("answer", 502, 0)
    control.delete("/faults")
    assert served.faults.rules == []


def test_options_are_set_and_shown(served: Sandbox, control: httpx.Client) -> None:
    shown = post(control, "/options", coursera={"page_cap": 7}, learning360={"reserved_names": ["mine"]})
    assert shown["coursera"]["page_cap"] == served.coursera.options.page_cap == 7
    assert shown["learning360"]["reserved_names"] == ["mine"]
    assert served.learning360.options.reserved_names == frozenset({"mine"})
    assert control.get("/options").json() == shown


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/options", {"coursera": {"nothing": 1}}),
        ("/options", {"nowhere": {}}),
        ("/faults", {"action": "answer", "nothing": 1}),
        ("/faults", {"action": "explode"}),
        ("/launch", {"mail": MAIL}),
        ("/tags", {"externalId": "nothing", "tag": "x"}),
        ("/slots", {"busy": "many"}),
        ("/clock", {}),
    ],
)
def test_what_cannot_be_met_is_a_400(control: httpx.Client, path: str, body: Json) -> None:
    answer = control.post(path, json=body)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_slots_are_occupied_and_held_operations_released(served: Sandbox, control: httpx.Client) -> None:
    assert post(control, "/slots", busy=2) == {"unfinished": 2}
    served.learning360.options.hold_operations = True
    served.learning360.submit("importExternalCourses", next(iter(served.learning360.integrations)), [])
    assert len(served.learning360.operations.unfinished()) == 3
    assert post(control, "/release") == {"unfinished": 2}
    assert post(control, "/slots", busy=0) == {"unfinished": 0}


def test_requests_are_shown_counted_and_forgotten(control: httpx.Client, coursera: httpx.Client) -> None:
    coursera.get("/contents")
    assert control.get("/requests").json()["requests"][-1]["path"].endswith("/contents")
    assert control.get("/requests/counts").json() == {"coursera POST 200": 1, "coursera GET 200": 1}
    control.delete("/requests")
    assert control.get("/requests").json() == {"requests": [], "errors": []}


def test_a_manual_clock_is_moved(served: Sandbox, control: httpx.Client) -> None:
    assert post(control, "/clock", ms=5) == {"now_ms": MANUAL_START_MS + 5}
    assert served.clock() == MANUAL_START_MS + 5


def test_the_machines_clock_is_not_moved() -> None:
    with running(Sandbox.empty(system_clock)) as served, httpx.Client(trust_env=False) as client:
        assert client.post(served.url("control") + "/clock", json={"ms": 5}).status_code == 400


def test_the_state_is_comparable_without_ids(served: Sandbox, control: httpx.Client) -> None:
    served.learning360.launch(MAIL, "B")
    served.learning360.add_path("Steps", "AB")
    shown = control.get("/state").json()
    assert {"integrations", "courses", "attempts", "paths", "operations", "users"} == shown.keys()
    [attempt] = shown["attempts"]
    assert (attempt["mail"], attempt["externalId"], attempt["origin"]) == (MAIL, "B", "launch")

    again = Sandbox.empty(served.clock)
    again.learning360.add_integration(defaultCompletion=True, defaultProgress=0)
    for name in "BA":
        again.learning360.add_course(name)
    again.learning360.add_user(MAIL)
    again.learning360.launch(MAIL, "B")
    again.learning360.add_path("Steps", "AB")
    other = snapshot.state(again.learning360)
    assert other != shown
    assert snapshot.comparable(other) == snapshot.comparable(shown)
    again.learning360.add_tag("A", "x")
    assert snapshot.comparable(snapshot.state(again.learning360)) != snapshot.comparable(shown)


def test_the_showcase_tells_its_story() -> None:
    sandbox = Sandbox(World.seeded(MANUAL_START_MS, 1, Sizes(50, 10, 40)), lambda: MANUAL_START_MS)
    with running(sandbox) as served, httpx.Client(base_url=served.url("control"), trust_env=False) as client:
        story = client.get("/showcase").json()
        assert [step["state"] for step in story["steps"]] == ["open", "locked"]
        served.learning360.add_integration(defaultCompletion=True)
        for external_id in story["externalIds"]:
            served.learning360.add_course(external_id)
        post(
            client, "/launch", mail=story["mail"], externalId=story["externalIds"][0], pathId=story["pathId"]
        )
        assert [step["state"] for step in client.get("/showcase").json()["steps"]] == ["completed", "open"]
        assert post(client, "/next-day")["showcase_percent"] == 45


def test_an_empty_sandbox_has_no_showcase(control: httpx.Client) -> None:
    assert control.get("/showcase").json() == {}


def test_a_new_address_reaches_360learning_on_the_next_day() -> None:
    sandbox = Sandbox(World.seeded(MANUAL_START_MS), lambda: MANUAL_START_MS + 1)
    accounts = {user["mail"]: user["_id"] for user in sandbox.learning360.users.values()}
    sandbox.next_day()
    [(old, new)] = sandbox.world.address_changes
    assert sandbox.learning360.user_of(old) is None
    renamed = sandbox.learning360.user_of(new)
    assert renamed is not None
    assert renamed["_id"] == accounts[old]
