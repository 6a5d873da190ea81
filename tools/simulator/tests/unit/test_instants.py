"""Instants and durations as the user types them for `calloff clock`."""

from datetime import UTC, datetime, timedelta

import pytest

from devstack.errors import InvalidTime
from simulator.simulated_clock.instants import parse_duration, parse_instant
from simulator.simulated_clock.participants import round_up_to_minute

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def test_instants_are_rounded_up_to_the_next_whole_minute() -> None:
    assert round_up_to_minute(EIGHT) == EIGHT
    assert round_up_to_minute(EIGHT + timedelta(microseconds=1)) == EIGHT + MINUTE


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90s", timedelta(seconds=90)), ("30m", 30 * MINUTE), ("1d12h", 36 * HOUR), ("1w", 168 * HOUR)],
)
def test_a_duration_is_parsed(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "5", "h", "5 h", "-1h", "1y"])
def test_an_invalid_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_duration(text)


def test_an_instant_without_a_time_zone_is_in_london_time() -> None:
    assert parse_instant("2026-03-30T08:00") == datetime(2026, 3, 30, 7, 0, tzinfo=UTC)
    assert parse_instant("2026-03-30T08:00+00:00") == datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
