"""The `coursera-sync` command as people and scripts run it: exit codes, JSON, and what it leaves behind."""

import csv
import json
import os
import stat
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from sqlalchemy import create_engine, update

from connectors.errors import SettingsError
from connectors.ledger.schema import courses, rejects, runs, targets
from tests.commands import Command, Ended
from tests.installation import Sync

BELOW_A_FILE = "sqlite:///file/ledger.db"
COMMAND = Path(sys.executable).with_name("coursera-sync")
WITHOUT_PREFECT = """
import sys
from flows.cli.app import main
try:
    main()
except SystemExit as ending:
    print(ending.code, "prefect" in sys.modules)
"""


def run(*arguments: str, **environment: str) -> Ended:
    """Run the command as a process of its own, with the settings of the environment and these."""
    ended = subprocess.run(  # noqa: S603
        [COMMAND, *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command in this very process, on the real time: it does the same there, and is there at once."""
    return Command(monkeypatch, capsys)


@pytest.fixture
def command(sync: Sync, monkeypatch: pytest.MonkeyPatch) -> Sync:
    """An installation for processes of their own, which are on the real time, and on the tests' Prefect."""
    monkeypatch.setenv("PREFECT_API_URL", sync.prefect_api)
    sync.sandbox.learning360.options.operation_base_ms = 0
    sync.sandbox.learning360.options.rows_per_second = 0
    return sync


@pytest.fixture
def ledger(sync: Sync) -> Sync:
    """An installation with a ledger that knows of a run and of a rejected row."""
    sync.add_courses(2)
    sync.sandbox.enroll("bad@example.com", sync.sandbox.world.contents[0], overallProgress="many")
    sync.sandbox.world.add_report("stranger@example.com", sync.sandbox.world.contents[0], overallProgress=10)
    sync.catalog()
    assert sync.statistics().rejected == 2
    return sync


@pytest.fixture
def _a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file, where a folder would be needed, in the folder that commands run in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_rejected_rows_are_exit_3_and_without_them_it_is_0(command: Sync, tmp_path: Path) -> None:
    command.add_courses(2)
    bad = command.sandbox.world.add_content("   ")
    first = run("catalog", "--json")
    assert first.code == 3, first.stderr
    assert (first.json["flow"], first.json["state"]) == ("catalog", "completed_with_rejects")
    assert (first.json["extracted"], first.json["accepted"], first.json["rejected"]) == (3, 2, 1)
    assert "error" not in first.json
    assert "Read 3 contents from Coursera" in first.stderr

    assert mode(tmp_path / "state") == 0o700
    assert {mode(path) for path in (tmp_path / "state").iterdir() if path.is_file()} == {0o600}

    bad["name"] = "Good"
    second = run("catalog")
    assert second.code == 0, second.stderr
    assert second.stdout.startswith("catalog: completed in ")
    assert "extracted 3, unchanged 2, submitted 1, accepted 1" in second.stdout


def test_settings_that_are_nowhere_are_said_before_prefects_server_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ended = run("catalog", "--json", PREFECT_HOME=str(tmp_path))
    assert (ended.code, ended.json["flow"], ended.json["state"], ended.json["extracted"]) == (
        2,
        "catalog",
        "failed",
        0,
    )
    assert "COURSERA_ORG_ID is missing" in ended.json["error"]
    assert not (tmp_path / "prefect.db").exists()


def test_an_env_file_that_is_not_utf_8_is_exit_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_bytes("SYNC_DEFAULT_LANGUAGE=de\n".encode("utf-16"))
    for command in ("catalog", "status"):
        ended = run(command, "--json")
        assert (ended.code, ended.json["state"]) == (2, "failed"), ended.stderr
        assert ended.json["error"].startswith(".env cannot be read")
        assert "Traceback" not in ended.stderr


def test_where_no_server_may_start_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ended = run("catalog", "--json", PREFECT_HOME=str(tmp_path), PREFECT_SERVER_EPHEMERAL_ENABLED="false")
    assert (ended.code, "PREFECT_API_URL names none" in ended.json["error"]) == (2, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_learner_who_is_no_address_is_exit_2(here: Command) -> None:
    ended = here("backfill", "--learner", "ann@example.com", "--learner", "bob", "--json")
    assert (ended.code, ended.json["error"]) == (2, "--learner bob is no address, such as ann@example.com.")


@pytest.mark.parametrize(
    ("setting", "said"),
    [("", None), ("http://360learning.example", "must begin with https")],
    ids=["missing", "wrong"],
)
def test_a_database_of_prefects_may_hold_what_is_missing_but_not_mend_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, said: str | None
) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings  # noqa: PLC0415

    from flows.cli.preflight import require_settings  # noqa: PLC0415

    (tmp_path / "prefect.db").touch()
    monkeypatch.setenv("LEARNING360_API_URL", setting)
    raised: AbstractContextManager[object] = (
        nullcontext() if said is None else pytest.raises(SettingsError, match=said)
    )
    with temporary_settings({PREFECT_HOME: tmp_path}, restore_defaults={PREFECT_API_URL}), raised:
        require_settings("catalog")


def test_a_refusal_is_exit_1_and_one_plain_message(command: Sync) -> None:
    ended = run("setup", "--json", COURSERA_CLIENT_SECRET="wrong-secret")
    assert (ended.code, ended.json["flow"], ended.json["state"]) == (1, "setup", "failed")
    assert "COURSERA_CLIENT_SECRET" in ended.json["error"]
    assert ended.stderr.splitlines()[-1] == f"coursera-sync: {ended.json['error']}"
    assert "Traceback" not in ended.stderr
    assert "wrong-secret" not in ended.stdout + ended.stderr
    assert command.sandbox.learning360.integrations == {}


@pytest.mark.usefixtures("command")
def test_verbose_shows_where_a_failure_came_from() -> None:
    ended = run("setup", "--verbose", COURSERA_ORG_ID="nobody")
    assert (ended.code, ended.stdout) == (1, "")
    assert "Traceback" in ended.stderr


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"LEARNING360_GROUP_ID": ""}, "LEARNING360_GROUP_ID is missing"),
        ({"COURSERA_API_URL": "http://api.example.com"}, "COURSERA_API_URL must begin with https://"),
        ({"SYNC_STATE_URL": BELOW_A_FILE}, "SYNC_STATE_URL cannot be used"),
    ],
    ids=["missing", "not https", "a ledger below a file"],
)
@pytest.mark.usefixtures("_a_file")
def test_settings_that_are_wrong_are_exit_2_before_anything_is_asked(
    here: Command, sync: Sync, changed: dict[str, str], named: str
) -> None:
    ended = here("catalog", "--json", **changed)
    assert (ended.code, ended.json["flow"], ended.json["state"]) == (2, "catalog", "failed")
    assert named in ended.json["error"]
    assert "Traceback" not in ended.stderr
    assert sync.sandbox.log.entries == []


@pytest.mark.parametrize(
    ("arguments", "flow"),
    [
        (["catalog", "--jason"], "catalog"),
        (["catalog", "--dry-run=perhaps"], "catalog"),
        (["catalog", "superfluous"], "catalog"),
        (["nonsense"], "nonsense"),
        ([], ""),
    ],
    ids=[
        "no such option",
        "an option with a value that it does not take",
        "an argument too many",
        "no such command",
        "nothing",
    ],
)
def test_wrong_usage_is_exit_2(here: Command, arguments: list[str], flow: str) -> None:
    ended = here(*arguments, "--json")
    assert (ended.code, ended.json["flow"], ended.json["state"]) == (2, flow, "failed")
    assert ended.json["error"]
    assert "Traceback" not in ended.stderr
    plain = here(*arguments)
    assert (plain.code, plain.stdout) == (2, "")
    assert "coursera-sync --help" in plain.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["catalog", "--help"]], ids=["all", "one command"])
def test_help_is_exit_0(here: Command, arguments: list[str]) -> None:
    ended = here(*arguments)
    assert ended.code == 0
    assert "Usage" in ended.stdout


@pytest.mark.parametrize(
    "arguments",
    [["status"], ["status", "--rejected", "--json"], ["forget", "--learner", "nobody"], ["--help"]],
    ids=" ".join,
)
def test_what_asks_no_platform_does_not_wait_for_prefect(arguments: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"SYNC_STATE_URL": f"sqlite:///{tmp_path}/ledger.db"}
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-c", WITHOUT_PREFECT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    code = 1 if "nobody" in arguments else 0  # whom the ledger does not have
    assert ended.stdout.splitlines()[-1] == f"{code} False", ended.stderr


def test_status_of_an_empty_ledger_says_what_to_do(here: Command, tmp_path: Path) -> None:
    ended = here("status", SYNC_STATE_URL=f"sqlite:///{tmp_path}/a/b/ledger.db")
    assert (ended.code, ended.stdout) == (0, "The ledger is empty: run coursera-sync setup.\n")
    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]


def test_status_tells_people_all_at_a_glance(ledger: Sync) -> None:
    ended = run("status")
    assert ended.code == 0
    for word in (
        "Coursera for Business in group",
        ledger.integration()["_id"],
        "live courses 2",
        "statistics: 2026-01-15 08:00 UTC",
        "completed with rejects",
        "rejected     1 statistics: overallProgress is not a number",
        "rejected     1 statistics: 360Learning: User not found",
    ):
        assert word in ended.stdout
    assert "@" not in ended.stdout


def test_status_tells_scripts_the_same(here: Command, ledger: Sync) -> None:
    (target,) = here("status", "--json").json["targets"]
    assert target["integration_id"] == ledger.integration()["_id"]
    assert {mark["stream"] for mark in target["watermarks"]} == {"catalog", "statistics"}
    assert sorted(one["flow"] for one in target["runs"]) == ["catalog", "statistics"]
    assert target["open_operations"] == []
    assert sum(one["count"] for one in target["rejected"]) == 2


def test_status_rejected_shows_reasons_alone(here: Command, ledger: Sync) -> None:
    ended = here("status", "--rejected")
    assert sorted(line.split(":", 1)[1].strip() for line in ended.stdout.splitlines()) == [
        "360Learning: User not found",
        "overallProgress is not a number",
    ]
    assert ledger.rejected("catalog") == {}


FORGED = "no \x1b[2J\u202e\n  rejected     0 catalog: forged ann @corp.example"
TITLE = "A \u202etitle\x9b31m\n  sent             forged"


def test_what_others_wrote_forges_no_line(here: Command, ledger: Sync) -> None:
    """Reasons of an older version are in the ledger as the platform said them."""
    with create_engine(ledger.ledger_url).begin() as db:
        db.execute(update(rejects).values(reason=FORGED))
        db.execute(update(runs).values(summary=json.dumps({"error": FORGED})))
        db.execute(update(targets).values(platform_name=TITLE))
        db.execute(update(courses).values(body=json.dumps({"name": TITLE})))
    course = ledger.sandbox.world.contents[0]["contentId"]
    shown = [here("status"), here("status", "--rejected")]
    shown.append(here("explain", "--learner", "stranger@example.com", "--course", course, "--offline"))
    shown.append(here("explain", "--learner", "nobody@example.com", "--course", "title"))
    for ended in shown:
        lines = (ended.stdout + ended.stderr).splitlines()
        assert any("forged" in line for line in lines)
        assert not any(line.startswith(("  rejected     0", "  sent")) for line in lines)
        assert not {"\x1b", "\u202e", "\x9b"} & set("".join(lines))
    assert "ann" not in shown[0].stdout


def test_the_csv_of_rejected_rows_is_private(here: Command, ledger: Sync, tmp_path: Path) -> None:
    file = tmp_path / "aside.csv"
    file.write_text("somebody else's")
    file.chmod(0o644)
    ended = here("status", "--csv", str(file))
    assert ended.code == 0, ended.stderr
    assert mode(file) == 0o600
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert {row["reason"] for row in rows} == set(ledger.rejected("statistics").values())
    assert "stranger@example.com" in {row["learner"] for row in rows}
    assert "@" not in ended.stdout + ended.stderr


def test_the_csv_follows_no_link(here: Command, ledger: Sync, tmp_path: Path) -> None:
    other, link = tmp_path / "other", tmp_path / "aside.csv"
    other.write_text("somebody else's")
    link.symlink_to(other)
    assert ledger
    assert here("status", "--csv", str(link)).code == 0
    assert other.read_text() == "somebody else's"
    assert (link.is_symlink(), mode(link)) == (False, 0o600)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_csv_is_a_formula(here: Command, ledger: Sync, tmp_path: Path, sign: str) -> None:
    formula = f"{sign}HYPERLINK(1)"
    with create_engine(ledger.ledger_url).begin() as db:
        db.execute(update(rejects).values(reason=formula, course=formula, learner=formula))
    file = tmp_path / "aside.csv"
    here("status", "--csv", str(file))
    with file.open(encoding="utf-8", newline="") as text:
        (row, *_) = csv.DictReader(text)
    assert {row[name] for name in ("reason", "course", "learner")} == {f"'{formula}"}


@pytest.mark.parametrize(
    ("arguments", "state_url", "named"),
    [
        ([], BELOW_A_FILE, "SYNC_STATE_URL cannot be used"),
        ([], "mysql://there/db", "SYNC_STATE_URL must be an sqlite:// or a postgresql:// URL"),
        (["--csv", "file/aside.csv"], "sqlite:///ledger.db", "--csv file/aside.csv cannot be written"),
    ],
    ids=["a ledger below a file", "a ledger of another kind", "a file that cannot be written"],
)
@pytest.mark.usefixtures("_a_file")
def test_what_status_cannot_use_is_exit_2(
    here: Command, arguments: list[str], state_url: str, named: str
) -> None:
    ended = here("status", *arguments, "--json", SYNC_STATE_URL=state_url)
    assert (ended.code, ended.json["flow"], ended.json["state"]) == (2, "status", "failed")
    assert named in ended.json["error"]
    assert "Traceback" not in ended.stderr


def test_the_demo_does_the_whole_job_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = run("demo", "--json", TMPDIR=str(tmp_path))
    assert ended.code == 0, ended.stderr
    assert (ended.json["flow"], ended.json["state"]) == ("demo", "completed")
    runs = ended.json["runs"]
    assert {one["flow"] for one in runs} == {"setup", "catalog", "statistics"}
    assert all(one["state"] in {"completed", "completed_with_rejects"} for one in runs)
    for one in runs:
        parts = ("merged", "held", "unchanged", "accepted", "rejected")
        assert one["extracted"] == sum(one[part] for part in parts)
    for words in ("completed at 0 %  [path: step 1 completed, step 2 open]", "in progress at 45 %"):
        assert words in ended.stderr
    assert list(tmp_path.iterdir()) == []
