import pytest

from sandbox.clock import DAY_MS, ManualClock, system_clock
from sandbox.values import ObjectIds, is_object_id, iso, parse_ms


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00.000Z", 0),
        ("2026-01-15T08:00:00.001Z", 1_768_464_000_001),
        ("2026-01-15T08:00:00Z", 1_768_464_000_000),
        ("2026-01-15T09:00:00+01:00", 1_768_464_000_000),
        ("2026-01-15T08:00:00.0019Z", 1_768_464_000_001),
    ],
    ids=["epoch", "milliseconds", "whole second", "offset", "finer digits are cut off"],
)
def test_dates_are_read_to_the_millisecond(text: str, ms: int) -> None:
    assert parse_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    ["2026-01-15", "2026-01-15T08:00:00", "2026-13-01T00:00:00Z", "soon", "20260115T080000Z"],
    ids=["no time", "no zone", "month 13", "words", "basic format"],
)
def test_what_is_no_date_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_ms(text)


def test_a_date_written_is_read_back_the_same() -> None:
    assert all(parse_ms(iso(ms)) == ms for ms in (0, 1, 999, 1_768_464_000_123))


def test_object_ids_differ_and_have_the_form() -> None:
    new_id = ObjectIds(ManualClock())
    ids = {new_id() for _ in range(1_000)}
    assert len(ids) == 1_000
    assert all(is_object_id(made) for made in ids)


def test_the_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(1_000)
    assert clock() == clock() == 1_000
    assert clock.advance(ms=1, seconds=1) == 2_001
    clock.set(5)
    assert clock.advance(hours=12, days=0.5) == 5 + DAY_MS


def test_the_system_clock_tells_epoch_milliseconds() -> None:
    assert system_clock() > 1_700_000_000_000
