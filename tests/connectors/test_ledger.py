"""The ledger's database: opened privately, refused plainly, written in transactions of all or nothing."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from connectors.errors import SettingsError, SyncError
from connectors.ledger.database import Ledger, open_ledger, upsert
from connectors.ledger.lookups.status import overview
from connectors.ledger.records.runs import NewRun, start_run
from connectors.ledger.records.targets import Target, find_target
from connectors.ledger.schema import SCHEMA_VERSION, metadata, rejects
from tests.connections import all_that_shows
from tests.postgres import BOTH_DATABASES

SECRET = "the-password"
LEARNER = "ann@example.com"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def a_target(db: Connection) -> Target:
    return find_target(db, "https://app", "group", "name")


def test_the_file_and_the_folders_made_for_it_are_the_users_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    path = tmp_path / "outer" / "inner" / "ledger.db"
    with open_ledger(sqlite_url(path)) as ledger, ledger.begin() as db:
        a_target(db)
        beside = [one for one in path.parent.iterdir() if one != path]
        assert {mode(one) for one in (path, *beside)} == {0o600}
    assert {mode(path.parent), mode(path.parent.parent)} == {0o700}
    assert mode(tmp_path) == 0o755


def test_folders_and_a_file_that_are_there_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    path = tmp_path / "ledger.db"
    path.touch(0o640)
    path.chmod(0o640)
    with open_ledger(sqlite_url(path)):
        pass
    assert (mode(tmp_path), mode(path)) == (0o750, 0o640)


def test_a_folder_that_another_process_makes_at_the_same_time_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != folder and exists(path))
    with open_ledger(sqlite_url(folder / "ledger.db")):
        pass


@BOTH_DATABASES
def test_what_was_written_is_there_when_it_is_opened_again(state_url: str) -> None:
    with open_ledger(state_url) as ledger, ledger.begin() as db:
        made = a_target(db)
    with open_ledger(state_url) as ledger, ledger.read() as db:
        assert a_target(db) == made


@BOTH_DATABASES
def test_a_transaction_keeps_all_or_nothing(ledger: Ledger) -> None:
    def half_way() -> None:
        with ledger.begin() as db:
            a_target(db)
            raise RuntimeError("the power fails")

    with pytest.raises(RuntimeError, match="the power fails"):
        half_way()
    with ledger.read() as db:
        assert db.scalar(text("SELECT count(*) FROM targets")) == 0


@BOTH_DATABASES
def test_many_may_open_a_new_ledger_at_once(state_url: str) -> None:
    ready = threading.Barrier(6)

    def opened() -> None:
        ready.wait()
        with open_ledger(state_url) as ledger, ledger.begin() as db:
            assert db.scalar(text("SELECT count(*) FROM schema_versions")) == 1

    with ThreadPoolExecutor(6) as pool:
        for one in [pool.submit(opened) for _ in range(6)]:
            one.result()


@BOTH_DATABASES
def test_a_ledger_of_a_newer_version_is_refused(state_url: str) -> None:
    with open_ledger(state_url) as ledger, ledger.begin() as db:
        db.execute(text("UPDATE schema_versions SET version = version + 1"))
    with pytest.raises(SettingsError, match=f"schema {SCHEMA_VERSION + 1}, .* upgrade") as raised:
        open_ledger(state_url)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("version", ["'six'", "0", "-1", "NULL", "x'00ff'"])
def test_a_ledger_whose_version_is_none_is_damaged_and_not_newer(tmp_path: Path, version: str) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    with open_ledger(url) as ledger, ledger.begin() as db:
        db.execute(text("DROP TABLE schema_versions"))
        db.execute(text("CREATE TABLE schema_versions (version)"))
        db.execute(text(f"INSERT INTO schema_versions VALUES ({version})"))  # noqa: S608 - of the table above
    with pytest.raises(SettingsError, match=r"is damaged, .* last backup") as raised:
        open_ledger(url)
    assert "newer" not in str(raised.value)


def test_a_ledger_without_its_version_is_damaged(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "ledger.db")
    with open_ledger(url) as ledger, ledger.begin() as db:
        db.execute(text("DELETE FROM schema_versions"))
    with pytest.raises(SettingsError, match="is damaged"):
        open_ledger(url)


@pytest.mark.parametrize("begin", [0, 100, 4096], ids=["its header", "its schema", "a table"])
def test_a_ledger_that_was_overwritten_says_so_and_names_the_backup(tmp_path: Path, begin: int) -> None:
    url, file = sqlite_url(tmp_path / "ledger.db"), tmp_path / "ledger.db"
    with open_ledger(url):
        pass
    content = bytearray(file.read_bytes())
    content[begin:] = b"\xa5" * (len(content) - begin)
    file.write_bytes(content)
    with pytest.raises(SyncError, match=r"is damaged, .* last backup"):
        read_all(url)


def read_all(url: str) -> None:
    with open_ledger(url) as ledger, ledger.read() as db:
        for table in metadata.sorted_tables:
            db.execute(select(table)).all()


def unusable_urls(folder: Path) -> dict[str, str]:
    """URLs that are well-formed and of no use."""
    (folder / "a-file").write_text("no database at all, but a text that is long enough to be one")
    (folder / "a-folder").mkdir()
    return {
        "a folder that cannot be": sqlite_url(folder / "a-file" / "ledger.db"),
        "a folder in place of the file": sqlite_url(folder / "a-folder"),
        "a file that is no database": sqlite_url(folder / "a-file"),
        "nobody listens": f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/ledger",
        "an option that there is not": f"postgresql+psycopg://user:{SECRET}@127.0.0.1:1/l?no_such_option=1",
    }


@pytest.mark.parametrize(
    "case",
    [
        "a folder that cannot be",
        "a folder in place of the file",
        "a file that is no database",
        "nobody listens",
        "an option that there is not",
    ],
)
def test_an_unusable_url_is_told_without_its_password(tmp_path: Path, case: str) -> None:
    with pytest.raises(SettingsError, match=r"^SYNC_STATE_URL cannot be used: ") as raised:
        open_ledger(unusable_urls(tmp_path)[case])
    assert SECRET not in all_that_shows(raised.value)


def test_a_database_that_there_is_not_is_told_without_the_password(postgres: str) -> None:
    server = postgres.replace("postgresql:", "postgresql+psycopg:")
    url = server.replace("tests@", f"tests:{SECRET}@") + "/no_such_database"
    with pytest.raises(SettingsError, match=r"^SYNC_STATE_URL cannot be used: ") as raised:
        open_ledger(url)
    assert SECRET not in all_that_shows(raised.value)


REFUSED = {
    "a value that is missing": {"reason": None},
    "a run that there is not": {"run_id": "nobody's"},
}


@BOTH_DATABASES
@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED)
def test_an_error_never_shows_what_was_to_be_written(ledger: Ledger, change: dict[str, object]) -> None:
    row: dict[str, object] = dict.fromkeys(("row_id", "learner", "raw", "reason"), LEARNER)
    row |= {"stream": "statistics", "first_at": 1, "last_at": 1, "run_id": "run"}

    def refused() -> None:
        with ledger.begin() as db:
            target = a_target(db)
            start_run(db, NewRun("run", target.id, "f", "here", dry_run=False, started_at=1))
            upsert(db, rejects, [{"target_id": target.id} | row | change])

    with pytest.raises(SyncError, match="The ledger refuses a change") as raised:
        refused()
    assert LEARNER not in all_that_shows(raised.value)


@BOTH_DATABASES
def test_a_failing_statement_never_shows_its_values(ledger: Ledger) -> None:
    def fails() -> None:
        with ledger.begin() as db:
            db.execute(text("SELECT nothing FROM nowhere WHERE learner = :learner"), {"learner": LEARNER})

    with pytest.raises(SyncError) as raised:
        fails()
    assert LEARNER not in all_that_shows(raised.value)


@BOTH_DATABASES
def test_a_lock_is_held_by_one_until_it_lets_go(state_url: str, ledger: Ledger) -> None:
    with open_ledger(state_url) as another:
        release = ledger.try_lock("catalog")
        assert release is not None
        assert another.try_lock("catalog") is None
        other = another.try_lock("statistics")
        assert other is not None
        release()
        again = another.try_lock("catalog")
        assert again is not None
        again()
        other()


@BOTH_DATABASES
def test_a_look_waits_for_nobody_who_writes(ledger: Ledger) -> None:
    with ledger.begin() as db, ledger.read() as look:
        a_target(db)
        assert overview(look) == []
