"""The judge's own calendar of lists: cut-offs, closings and dated lists around bank holidays and clock changes."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from devstack.home import FRAMEWORK_FILES
from judge.list_rules import read_batching_list, read_dated_list
from judge.rules import FrameworkRules, read_rules

LONDON: Final = ZoneInfo("Europe/London")
(RULES,) = read_rules(FRAMEWORK_FILES).values()
HOURS: Final = RULES.present_hours


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("issued", "closes"),
    [
        ("2026-03-02 16:00", "2026-03-03 10:00"),
        ("2026-03-27 16:00", "2026-03-30 10:00"),  # Friday to Monday, over the change to summer time
        ("2026-04-02 16:00", "2026-04-07 10:00"),  # over Easter
        ("2027-03-25 16:00", "2027-03-30 10:00"),  # over Easter and the change to summer time
        ("2026-10-23 16:00", "2026-10-26 10:00"),  # over the change to winter time
        ("2026-12-24 16:00", "2026-12-29 10:00"),  # over Christmas
    ],
)
def test_a_batching_list_closes_at_ten_of_the_next_working_day(issued: str, closes: str) -> None:
    batching = read_batching_list(RULES)
    assert batching is not None
    assert batching.find_closing(HOURS, at(issued)) == at(closes)


def test_a_definition_may_say_the_next_calendar_day() -> None:
    text = FRAMEWORK_FILES[0].read_text().replace("day: next working day", "day: next calendar day")
    batching = read_batching_list(FrameworkRules.from_yaml(text))
    assert batching is not None
    assert batching.find_closing(HOURS, at("2026-03-27 16:00")) == at("2026-03-28 10:00")


def test_cut_offs_are_on_working_days_with_both_limits_included() -> None:
    batching = read_batching_list(RULES)
    assert batching is not None
    found = batching.list_cut_offs(HOURS, at("2027-03-24 16:00"), at("2027-03-31 16:00"))
    assert list(found) == [at(f"2027-03-{day} 16:00") for day in (24, 25, 30, 31)]
    assert batching.find_last_cut_off(HOURS, at("2027-03-30 15:59")) == at("2027-03-25 16:00")


def test_a_list_of_a_bank_holiday_moves_to_the_next_working_day() -> None:
    dated = read_dated_list(RULES, "available-packages")
    assert dated is not None
    found = list(dated.list_issues(HOURS, at("2027-03-22 12:00"), at("2027-04-01 12:00")))
    assert [(each.day.day, each.moved_from) for each in found] == [
        (22, None),
        (25, None),
        (30, date(2027, 3, 29)),
        (1, None),
    ]
    assert found[2].at == at("2027-03-30 12:00")


def test_two_lists_that_meet_are_one_and_it_moved() -> None:
    text = FRAMEWORK_FILES[0].read_text().replace("days: [MON, THU]", "days: [MON, TUE]")
    dated = read_dated_list(FrameworkRules.from_yaml(text), "available-packages")
    assert dated is not None
    found = dated.list_issues(HOURS, at("2026-04-06 00:00"), at("2026-04-08 00:00"))
    assert [(each.day, each.moved_from) for each in found] == [(date(2026, 4, 7), date(2026, 4, 6))]


def test_the_instant_of_a_list_is_in_time_for_it() -> None:
    dated = read_dated_list(RULES, "available-packages")
    assert dated is not None
    noon = at("2026-03-05 12:00")
    assert dated.find_next_issue(HOURS, noon).at == noon
    assert dated.find_next_issue(HOURS, noon + timedelta(microseconds=1)).at == at("2026-03-09 12:00")
    assert dated.find_issue_after(HOURS, "2026-03-05").day == date(2026, 3, 9)
