"""`coursera-sync demo`: the main job, two days of it, on a sandbox of both platforms."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import typer

from connectors.errors import SyncError
from flows.cli.run_flow import in_words, print_json, run_flow
from flows.cli.sandbox_process import RunningSandbox, running_sandbox
from flows.cli.status import show_status
from tasks.reporting.summary import Summary

OTHER_LAUNCHES = 3


def run_demo(*, as_json: bool) -> None:
    """Set up, synchronise, launch, synchronise, and once more a day later; tell what happened."""
    with tempfile.TemporaryDirectory(prefix="coursera-sync-demo-") as folder:
        typer.echo("Starting a sandbox of Coursera and 360Learning on this machine ...", err=True)
        with running_sandbox() as sandbox, _demo_environment(Path(folder), sandbox):
            summaries = _Demo(sandbox, quiet=as_json).play()
    if as_json:
        runs = [summary.as_json() for summary in summaries]
        print_json({"flow": "demo", "state": "completed", "runs": runs})


@contextmanager
def _demo_environment(folder: Path, sandbox: RunningSandbox) -> Iterator[None]:
    """Settings that lead to the sandbox and nowhere else, a ledger and a Prefect of the demo's own."""
    before, where = dict(os.environ), Path.cwd()
    for name in [name for name in os.environ if name.startswith(("COURSERA_", "LEARNING360_", "SYNC_"))]:
        del os.environ[name]
    os.environ.pop("PREFECT_API_URL", None)
    os.environ |= sandbox.environment | {
        "SYNC_STATE_URL": f"sqlite:///{folder / 'ledger' / 'ledger.db'}",
        "PREFECT_HOME": str(folder / "prefect"),
    }
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(where)
        os.environ.clear()
        os.environ |= before


class _Demo:
    def __init__(self, sandbox: RunningSandbox, *, quiet: bool) -> None:
        self._control = httpx.Client(base_url=sandbox.control, timeout=30)
        self._quiet = quiet
        self._runs: list[Summary] = []
        showcase = self._get("/showcase")
        self._learner: str = showcase["mail"]
        self._name: str = showcase["fullName"]
        self._path: str = showcase["pathId"]
        self._steps: list[str] = showcase["externalIds"]
        self._course = self._steps[0]

    def play(self) -> list[Summary]:
        """All of it, in order."""
        # Imported here: Prefect reads its settings when it is imported, and the demo has its own.
        from flows.catalog import catalog  # noqa: PLC0415
        from flows.setup import setup  # noqa: PLC0415
        from flows.statistics import statistics  # noqa: PLC0415

        self._title("Day 1: set up, and bring the catalog")
        self._run(setup)
        self._run(catalog)
        self._tell_courses()
        self._title(f"{self._name} launches a course that is the first step of a linear path")
        self._tell_course("before the launch")
        self._launch()
        self._tell_course("launched")
        self._title("Day 1: bring the learners' progress (nothing real yet for this course: it is held)")
        self._run(statistics)
        self._tell_course("after the statistics")
        self._title("Day 2: people have learned, and Coursera has changed its catalog")
        self._tell_changes(self._post("/next-day"))
        self._run(catalog)
        self._run(statistics)
        self._tell_course("a day later")
        self._title("Once more, with nothing new: only rejected rows are tried again")
        self._run(catalog)
        self._run(statistics)
        self._title("The rejected rows, by reason (coursera-sync status --rejected)")
        show_status(rejected=True, csv_file=None, as_json=False, to_stderr=self._quiet)
        self._say("\nThe same commands work on your platforms: see README.md, First real run.")
        return self._runs

    def _run(self, flow: Any) -> None:  # noqa: ANN401 - a Prefect flow
        summary = run_flow(flow, {})
        if summary.unaccounted:
            raise SyncError(f"{summary.unaccounted} rows of {summary.flow} are in no count.")
        self._runs.append(summary)
        self._say(in_words(summary))

    def _launch(self) -> None:
        self._post("/launch", {"mail": self._learner, "externalId": self._course, "pathId": self._path})
        others = [one["externalId"] for one in self._get("/state")["courses"]]
        for course in [one for one in others if one not in self._steps][:OTHER_LAUNCHES]:
            self._post("/launch", {"mail": self._learner, "externalId": course})

    def _tell_courses(self) -> None:
        courses = [one for one in self._get("/state")["courses"] if not one["archived"]]
        languages = {one["data"]["defaultLang"] for one in courses}
        self._say(
            f"360Learning now has {len(courses)} external courses in {len(languages)} languages, such as"
        )
        for one in courses[:3]:
            self._say(f"  {one['data']['name']} ({one['data']['contentType']}, {one['data']['defaultLang']})")

    def _tell_course(self, when: str) -> None:
        attempts = [
            attempt
            for attempt in self._get("/state")["attempts"]
            if (attempt["mail"], attempt["externalId"]) == (self._learner, self._course)
        ]
        states = [_in_words(attempt) for attempt in attempts] or ["no attempt yet"]
        steps = self._get(f"/paths/{self._path}/steps", {"mail": self._learner})["steps"]
        path = ", ".join(f"step {number} {step['state']}" for number, step in enumerate(steps, 1))
        self._say(f"  {when}: {'; then '.join(states)}  [path: {path}]")

    def _tell_changes(self, changes: dict[str, int]) -> None:
        told = ", ".join(f"{what.replace('_', ' ')} {count}" for what, count in changes.items())
        self._say(f"  At Coursera: {told}")

    def _title(self, text: str) -> None:
        self._say(f"\n== {text}")

    def _say(self, text: str) -> None:
        typer.echo(text, err=self._quiet)

    def _get(self, path: str, params: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        return self._control.get(path, params=params).raise_for_status().json()

    def _post(self, path: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
        return self._control.post(path, json=body or {}).raise_for_status().json()


def _in_words(attempt: dict[str, Any]) -> str:
    state = "completed" if attempt.get("completedAt") else "in progress"
    return f"{state} at {attempt['progress']} %"
