import pytest

from sandbox.learning360 import LaunchRefusedError, Learning360
from sandbox.learning360.paths import Kind, Path
from sandbox.server import Sandbox

MAIL = "a@example.com"


@pytest.fixture
def platform(sandbox: Sandbox) -> Learning360:
    """Three courses under the launch rule, and one learner."""
    sandbox.learning360.add_integration(defaultCompletion=True, defaultProgress=0)
    for name in "ABC":
        sandbox.learning360.add_course(name)
    sandbox.learning360.add_user(MAIL)
    return sandbox.learning360


def states(platform: Learning360, path: Path) -> list[str]:
    return [step["state"] for step in platform.path_progress(path.id, MAIL)["steps"]]


def succeeds(platform: Learning360, path: Path) -> bool:
    found: bool = platform.path_progress(path.id, MAIL)["successful"]
    return found


def complete(platform: Learning360, external_id: str) -> None:
    platform.add_attempt(MAIL, external_id, progress=100, completed_ms=platform.clock())


@pytest.mark.parametrize(
    ("defaults", "completed", "progress"),
    [
        ({"defaultCompletion": True, "defaultProgress": 0}, True, 0),
        ({"defaultCompletion": False, "defaultProgress": 0}, False, 0),
        ({"defaultCompletion": False, "defaultProgress": 20}, False, 20),
        ({}, False, 0),
    ],
    ids=["completed at 0 %", "open at 0 %", "open at 20 %", "no defaults"],
)
def test_a_launch_leaves_what_the_defaults_say(
    platform: Learning360,
    defaults: dict[str, object],
    completed: bool,  # noqa: FBT001 -- a parameter of the table
    progress: int,
) -> None:
    platform.add_integration("Other", **defaults)
    integration_id = list(platform.integrations)[-1]
    platform.course("A").integration_id = integration_id
    now_ms = platform.clock()
    attempt = platform.launch(MAIL, "A")
    assert (attempt.progress, attempt.origin) == (progress, "launch")
    assert (attempt.first_ms, attempt.last_ms) == (now_ms, now_ms)
    assert attempt.completed_ms == (now_ms if completed else None)
    assert platform.attempts_of(MAIL, "A") == [attempt]


def test_every_launch_is_an_attempt_of_its_own(platform: Learning360) -> None:
    assert platform.launch(MAIL, "A").id != platform.launch(MAIL.upper(), "A").id
    assert len(platform.attempts_of(MAIL, "A")) == 2


def test_a_launch_needs_a_learner_and_a_living_course(platform: Learning360) -> None:
    platform.course("B").archived = True
    platform.add_user("gone@example.com", status="deleted")
    for mail, name in (
        ("nobody@example.com", "A"),
        ("gone@example.com", "A"),
        (MAIL, "B"),
        (MAIL, "nothing"),
    ):
        with pytest.raises(LaunchRefusedError, match="not found"):
            platform.launch(mail, name)
    assert platform.attempts.all == []


def test_a_linear_path_opens_step_by_step(platform: Learning360) -> None:
    path = platform.add_path("Steps", "ABC")
    assert states(platform, path) == ["open", "locked", "locked"]
    with pytest.raises(LaunchRefusedError, match="locked"):
        platform.launch(MAIL, "B", path.id)
    platform.launch(MAIL, "A", path.id)
    assert states(platform, path) == ["completed", "open", "locked"]
    platform.launch(MAIL, "B", path.id)
    assert not succeeds(platform, path)
    platform.launch(MAIL, "C", path.id)
    assert states(platform, path) == ["completed"] * 3
    assert succeeds(platform, path)


def test_without_the_launch_rule_a_launch_opens_nothing(platform: Learning360) -> None:
    for integration in platform.integrations.values():
        integration["defaultCompletion"] = False
    path = platform.add_path("Steps", "AB")
    platform.launch(MAIL, "A", path.id)
    assert states(platform, path) == ["open", "locked"]
    complete(platform, "A")
    assert states(platform, path) == ["completed", "open"]


@pytest.mark.parametrize(
    ("kind", "done", "successful"),
    [("linear", "C", True), ("linear", "AB", False), ("free", "C", False), ("free", "BCA", True)],
)
def test_when_a_path_is_successful(
    platform: Learning360,
    kind: Kind,
    done: str,
    successful: bool,  # noqa: FBT001 -- a parameter of the table
) -> None:
    path = platform.add_path("Steps", "ABC", kind)
    for name in done:
        complete(platform, name)
    assert succeeds(platform, path) is successful


def test_a_free_path_is_open_everywhere(platform: Learning360) -> None:
    path = platform.add_path("Steps", "AB", "free")
    assert states(platform, path) == ["open", "open"]
    platform.launch(MAIL, "B", path.id)
    assert states(platform, path) == ["open", "completed"]


def test_any_completed_attempt_counts_for_a_path(platform: Learning360) -> None:
    path = platform.add_path("Steps", "AB")
    complete(platform, "A")
    platform.add_attempt(MAIL, "A", progress=10)
    assert states(platform, path) == ["completed", "open"]


def test_attempts_of_one_path_share_a_session(platform: Learning360) -> None:
    path = platform.add_path("Steps", "AB")
    platform.add_user("b@example.com")
    first, second = platform.launch(MAIL, "A", path.id), platform.launch(MAIL, "B", path.id)
    other, outside = platform.launch("b@example.com", "A", path.id), platform.launch(MAIL, "A")
    assert first.path_session_id == second.path_session_id != other.path_session_id
    assert (first.path_id, outside.path_id, outside.path_session_id) == (path.id, None, None)


def test_a_course_outside_the_path_cannot_be_launched_from_it(platform: Learning360) -> None:
    path = platform.add_path("Steps", "AB")
    with pytest.raises(LaunchRefusedError, match="locked"):
        platform.launch(MAIL, "C", path.id)


def test_a_path_may_be_made_before_its_courses(sandbox: Sandbox) -> None:
    platform = sandbox.learning360
    platform.add_user(MAIL)
    path = platform.add_path("Steps", ["later", "even later"])
    assert states(platform, path) == ["open", "locked"]
    platform.add_integration(defaultCompletion=True)
    platform.add_course("later")
    platform.launch(MAIL, "later", path.id)
    assert states(platform, path) == ["completed", "open"]
