"""The demonstration's days: Easter 2027 with its bank holidays, and the change to summer time between them."""

from datetime import date, time, timedelta
from random import Random

import pytest

from simulator.demo.days import FIRST_DAY, Days, is_working_day, to_instant
from simulator.demo.run import USUAL_DAYS


def test_the_usual_days_have_two_bank_holidays_and_a_clock_change() -> None:
    days = Days(USUAL_DAYS)
    off = [each for each in days.list_dates() if not is_working_day(each)]
    assert off == [date(2027, 3, 26), date(2027, 3, 27), date(2027, 3, 28), date(2027, 3, 29)]
    assert to_instant(date(2027, 3, 27), time(12)).hour == 12
    assert to_instant(date(2027, 3, 28), time(12)).hour == 11


def test_the_short_form_has_a_list_its_closing_and_a_list_of_available_packages() -> None:
    days = Days(2)
    for instant in (to_instant(FIRST_DAY, time(16)), to_instant(days.last, time(10)), to_instant(days.last, time(12))):
        assert days.begin < instant < days.end
    assert is_working_day(FIRST_DAY)
    assert (days.last.strftime("%A"), is_working_day(days.last)) == ("Thursday", True)


def test_officers_do_not_work_on_days_off() -> None:
    instants = Days(USUAL_DAYS).generate_instants(time(9), time(9), interval=timedelta(hours=1))
    assert [each.day for each in instants] == [24, 25, 30, 31]


@pytest.mark.parametrize("seed", range(3))
def test_most_referrals_are_posted_on_working_days(seed: int) -> None:
    chance, days = Random(seed), Days(USUAL_DAYS)
    posted = [days.draw_posting_time(chance).date() for _ in range(500)]
    working = sum(is_working_day(each) for each in posted)
    assert 350 < working < 500
