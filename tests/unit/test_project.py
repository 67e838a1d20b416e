"""The project itself: its rooms and arrows, what Prefect is told of it, what it is installed from."""

import ast
import asyncio
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SHIPPED = ("connectors", "flows", "tasks")
MOST_LINES = 400
MOST_FILES = 14
PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[a-z0-9, ]+\])?==(?P<version>[^ ;]+)( ; .+)?")
HASHED = re.compile(r"( --hash=sha256:[0-9a-f]{64})+")
INDEX = re.compile(
    r"https?://\S*(pypi|pythonhosted|/simple\b)|(^|\s)(--(extra-)?index-url|--find-links|-i)[ =]\S"
)

LOAD = """
import importlib, json, sys
from prefect.flows import load_flow_from_entrypoint
names = {one: load_flow_from_entrypoint(one, use_placeholder_flow=False).name for one in sys.argv[1:]}
found = importlib.import_module("statistics")
print(json.dumps({"names": names, "mean": found.mean([1, 3]), "file": found.__file__}))
"""


def deployments() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    return found


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def tracked() -> list[Path]:
    """The files that git keeps; a test that asks for them is skipped where there is no git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    paths = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def requirements(name: str) -> dict[str, str]:
    """A file's packages: what stands after each name and version, which are checked."""
    lines = (ROOT / name).read_text().replace("\\\n", "").splitlines()
    found = {}
    for line in (line for line in lines if line.strip()):
        package, _, hashes = line.partition(" --hash")
        pinned = PINNED.fullmatch(package.rstrip())
        assert pinned, f"not pinned: {package}"
        assert HASHED.fullmatch(re.sub(r"\s+", " ", f" --hash{hashes}".rstrip())), (
            f"without hashes: {package}"
        )
        found[pinned["name"].lower()] = pinned["version"]
    return found


@pytest.mark.parametrize(
    "path",
    [
        *(
            "README.md",
            "Makefile",
            "pyproject.toml",
            "prefect.yaml",
            "requirements.txt",
            "requirements-dev.txt",
        ),
        *("connectors", "connectors/coursera", "connectors/learning360", "connectors/ledger"),
        *("tasks", "tasks/transform", "flows", "sandbox", "tests", "docs/decisions", ".ci"),
    ],
)
def test_every_room_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize("package", SHIPPED)
def test_nothing_that_ships_imports_the_tests(package: str) -> None:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"tests", "pytest"}], path


def test_no_python_file_is_longer_than_can_be_read() -> None:
    sizes = {path: len(path.read_text().splitlines()) for path in tracked() if path.suffix == ".py"}
    assert {path: size for path, size in sizes.items() if size >= MOST_LINES} == {}


@pytest.mark.parametrize("package", SHIPPED)
def test_no_folder_has_more_files_than_can_be_overseen(package: str) -> None:
    folders = Counter(path.parent for path in (ROOT / package).rglob("*.py"))
    assert {folder: files for folder, files in folders.items() if files > MOST_FILES} == {}


def test_prefect_loads_every_deployments_flow_and_the_standard_library_stays_what_it_is() -> None:
    entrypoints = {one["entrypoint"]: one["name"] for one in deployments()}
    command = [sys.executable, "-c", LOAD, *entrypoints]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stderr
    loaded = json.loads(ended.stdout.splitlines()[-1])
    assert loaded["names"] == entrypoints
    assert loaded["mean"] == 2
    assert not Path(loaded["file"]).is_relative_to(ROOT / "flows")


@pytest.mark.parametrize("month", [1, 7], ids=["in winter", "in summer"])
@pytest.mark.parametrize(("name", "at"), [("catalog", time(7, 45)), ("statistics", time(8, 0))])
def test_a_schedule_is_at_its_hour_all_year(name: str, at: time, month: int) -> None:
    from prefect.server.schemas.schedules import CronSchedule  # noqa: PLC0415 - as Prefect reckons it

    (deployment,) = (one for one in deployments() if one["name"] == name)
    (schedule,) = deployment["schedules"]
    assert schedule.pop("active") is True
    first = datetime(2026, month, 10, tzinfo=UTC)
    dates = asyncio.run(CronSchedule(**schedule).get_dates(7, first))
    assert [date.astimezone(UTC) for date in dates] == [
        datetime.combine(first.replace(day=10 + day), at, UTC) for day in range(7)
    ]


def test_only_the_daily_jobs_and_the_weekly_look_have_a_schedule() -> None:
    scheduled = {one["name"]: one for one in deployments() if one.get("schedules")}
    assert set(scheduled) == {"catalog", "statistics", "reconcile"}
    assert scheduled["reconcile"]["parameters"] == {"repair": False, "adopt": False}


def test_every_requirement_is_pinned_with_hashes() -> None:
    shipped, development = requirements("requirements.txt"), requirements("requirements-dev.txt")
    assert shipped.items() <= development.items()
    project = pyproject()
    for direct in project["project"]["dependencies"]:
        pinned = PINNED.fullmatch(direct)
        assert pinned, direct
        assert shipped[pinned["name"].lower()] == pinned["version"]
    for direct in project["dependency-groups"]["dev"]:
        pinned = PINNED.fullmatch(direct)
        assert pinned, direct
        assert development[pinned["name"].lower()] == pinned["version"]


def test_no_file_names_a_package_index() -> None:
    naming = []
    for path in tracked():
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        naming += [f"{path.name}: {line}" for line in lines if INDEX.search(line)]
    assert naming == []


def test_the_command_is_the_one_that_people_know() -> None:
    assert pyproject()["project"]["scripts"] == {"coursera-sync": "flows.cli:main"}
