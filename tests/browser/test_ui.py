"""What a person does in a browser: signs in, finds the schedules, looks at a backfill, then sends it."""

import base64
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Locator, Page, Response, expect

from sandbox.clock import system_clock
from sandbox.sandbox import Sandbox
from sandbox.server import running
from tests.chromium import PROGRAM, opened
from tests.installation import private_words
from tests.running_server import SIGN_IN, RunningServer, eventually

ANN, BOB, CAT, STRANGER = (f"{name}@acme.example" for name in ("ann", "bob", "cat", "stranger"))
SIGHTS = {"Logs": "Beginning flow run", "Parameters": "active_from", "Artifacts": "backfill-report"}
PICTURE = re.compile(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One course; in March two learners and one that 360Learning does not know, in May another one."""
    sandbox = Sandbox.empty(system_clock)
    course = sandbox.world.add_content("Machine Learning")
    begun = {"enrolledAt": day("2025-02-01"), "overallProgress": 30}
    sandbox.enroll(ANN, course, **begun, lastActivityAt=day("2025-03-01"))
    done = day("2025-03-20")
    sandbox.enroll(BOB, course, **begun, lastActivityAt=done, isCompleted=True, completedAt=done)
    sandbox.enroll(CAT, course, **begun, lastActivityAt=day("2025-05-02"))
    sandbox.world.add_report(STRANGER, course, **begun, lastActivityAt=day("2025-03-15"))
    with running(sandbox):
        yield sandbox
    assert sandbox.log.errors == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[RunningServer]:
    """A server where the catalog has been sent."""
    if not PROGRAM.exists():
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed: make system")
        pytest.skip("Chromium is not installed: make system")
    folder = tmp_path_factory.mktemp("server")
    server = RunningServer(
        folder, {"SYNC_STATE_URL": f"sqlite:///{folder}/ledger.db"} | sandbox.environment()
    )
    server.start()
    assert server.run("catalog")["state_type"] == "COMPLETED"
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def signed_in(server: RunningServer) -> Iterator[Page]:
    """The page of a person who has signed in at the address that the server told them."""
    (address,) = re.findall(r"The UI is at (\S+)", "".join(server.said))
    with opened(PROGRAM) as browser:
        browser.page.goto(address)
        browser.page.get_by_placeholder("admin:pass").fill(SIGN_IN)
        browser.page.get_by_role("button", name="Login").click()
        expect(browser.page.get_by_role("banner").first).to_contain_text("Dashboard")
        browser.page.reload()  # for a while the page would go on to complain of being signed out
        yield browser.page
        assert browser.asked
        assert browser.asked_elsewhere == []


@pytest.fixture
def page(signed_in: Page) -> Page:
    """The page with all deployments."""
    return list_deployments(signed_in)


def day(text: str) -> int:
    """The midnight that a day begins with, in epoch ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def list_deployments(page: Page) -> Page:
    page.get_by_role("button", name="Deployments").click()
    return page


def deployment(page: Page, name: str) -> Locator:
    """A deployment's row in the list."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def open_form(page: Page) -> None:
    """Go on to the form for a run of the backfill with parameters."""
    deployment(page, "backfill").get_by_role("link", name="backfill").first.click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_role("link", name="Custom run").click()


def choose(page: Page, *, first: str, last: str) -> None:
    """Choose the window in the form: its bounds are the first two dates, in this order."""
    for number, chosen in enumerate((first, last)):
        page.get_by_role("button", name="date-time").nth(number).click()
        page.get_by_text("Select date and time").click()
        page.locator("input[type=date]").fill(chosen)
        page.locator("input[type=time]").fill("00:00")
        page.get_by_role("button", name="Apply").click()


def submit(page: Page) -> Response:
    """Submit the form, again where the server's SQLite is too busy to take it; returns the answer."""

    def answer() -> Response | None:
        with page.expect_response("**/create_flow_run") as answered:
            page.get_by_role("button", name="Submit").click()
        return None if answered.value.status == httpx.codes.SERVICE_UNAVAILABLE else answered.value

    return eventually(answer)


def run(page: Page, *, named: str, ends: str) -> None:
    """Have the worker do what the form says, and look on until it has ended under a name and in a state."""
    flow_run_id = submit(page).json()["id"]
    # Where "View run" leads, too; but that is there for a moment only, and on a page that is about to go.
    page.wait_for_url("**/deployments/deployment/*?tab=Runs")
    page.goto(urljoin(page.url, f"/runs/flow-run/{flow_run_id}"))
    expect(page.get_by_role("banner").get_by_text(ends, exact=True)).to_be_visible()
    expect(page.get_by_role("banner")).to_contain_text(named)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tablist").get_by_text(name, exact=True).click()


def pages_of_run(page: Page, title: str) -> Iterator[str]:
    """Look through the pages of the run that is shown, and on to its report of a title; yields them."""
    for name, sight in SIGHTS.items():
        tab(page, name)
        expect(page.get_by_text(sight).first).to_be_visible()
        yield page.content()
    page.get_by_role("link", name="backfill-report").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    yield page.content()


def counts(page: Page) -> set[tuple[str, str]]:
    """Names and rows of the counts in the report that is shown."""
    table = page.get_by_role("table").filter(has=page.get_by_role("columnheader", name="meaning"))
    rows = [row.get_by_role("cell").all_inner_texts() for row in table.get_by_role("row").all()]
    return {(cells[0], cells[1]) for cells in rows if cells}


def pictures(page: Page) -> list[str]:
    """What the pictures that could be drawn show, in the report that is shown."""
    return [
        (image.get_attribute("alt") or "").partition(".")[0]
        for image in page.locator("img").all()
        if image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    ]


def reached(sandbox: Sandbox) -> list[str]:
    """The learners with an attempt in 360Learning."""
    (course,) = sandbox.world.contents
    return [mail for mail in (ANN, BOB, CAT) if sandbox.learning360.attempts_of(mail, course["contentId"])]


def leaked(sandbox: Sandbox, pages: list[str]) -> list[str]:
    """What nobody may read, among all that the pages hold, their pictures too."""
    text = "\n".join(pages)
    text += "".join(base64.b64decode(picture).decode() for picture in PICTURE.findall(text))
    return [word for word in private_words(sandbox) | {SIGN_IN} if word.lower() in text.lower()]


@pytest.mark.parametrize(("name", "time"), [("catalog", "08:45"), ("statistics", "09:00")])
def test_the_daily_deployments_show_when_they_run(page: Page, name: str, time: str) -> None:
    expect(deployment(page, name)).to_contain_text(f"At {time} AM every day")
    deployment(page, name).get_by_role("link", name=name).first.click()
    tab(page, "Upcoming")
    expect(page.get_by_text(re.compile(rf"Scheduled for .* {time}:00 AM")).first).to_be_visible()


@pytest.mark.parametrize("name", ["backfill", "restore", "setup"])
def test_the_others_wait_for_somebody(page: Page, name: str) -> None:
    expect(deployment(page, name)).to_contain_text("Ready")
    expect(deployment(page, name)).not_to_contain_text("every day")


def test_the_form_says_what_each_parameter_is_for(page: Page) -> None:
    open_form(page)
    for name, meaning in {
        "active_from": "last activity at this moment or later",
        "active_to": "last activity before this moment",
        "programs": "Only these Coursera programs",
        "learners": "printf %s ann@example.com | sha256sum",
        "dry_run": "Do this first",
        "workers": "Share the work",
    }.items():
        expect(page.get_by_text(f"{name} (Optional)")).to_be_visible()
        expect(page.get_by_text(meaning)).to_be_visible()
    expect(page.get_by_role("switch")).to_be_checked()


def test_an_address_is_not_taken_for_a_learner(page: Page, server: RunningServer) -> None:
    open_form(page)
    page.get_by_role("button", name="list", exact=True).last.click()
    page.get_by_role("button", name="Add item").click()
    page.get_by_role("textbox").last.fill(ANN)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text(f"['{ANN}'] is not valid")).to_be_visible()
    assert ANN not in str(server.ask("/flow_runs/filter", {}))


def test_a_backfill_is_looked_at_first_and_then_sent(page: Page, sandbox: Sandbox) -> None:
    window, seen = "backfill, from 2025-03-01, to 2025-04-01", list[str]()

    open_form(page)
    choose(page, first="2025-03-01", last="2025-04-01")
    run(page, named=f"{window}, dry run", ends="Completed")
    seen += pages_of_run(page, "backfill: dry run")
    assert counts(page) >= {("extracted", "3"), ("submitted", "3"), ("rejected", "0")}
    assert pictures(page) == ["Progress that would be sent"]
    assert reached(sandbox) == []

    list_deployments(page)
    open_form(page)
    choose(page, first="2025-03-01", last="2025-04-01")
    page.get_by_role("switch").click()
    run(page, named=window, ends="Completed with rejects")
    seen += pages_of_run(page, "backfill: completed with rejects")
    assert counts(page) >= {("extracted", "3"), ("accepted", "2"), ("rejected", "1")}
    expect(page.get_by_role("row", name="360Learning: User not found 1")).to_be_visible()
    expect(page.get_by_role("row", name="learner 1: Machine Learning")).to_be_visible()
    assert pictures(page) == [
        "Progress of all attempts that 360Learning has accepted",
        "Rows of the last run",
        "Duration of the last run",
    ]
    assert reached(sandbox) == [ANN, BOB]
    assert leaked(sandbox, seen) == []
