"""Outages of this service and proclaimed holidays move the close of a competition, and no bid is lost by them."""

from dataclasses import replace
from datetime import date, timedelta

from contracts.events.competitions import BidReceived, CompetitionExtended
from contracts.events.reasons import ExtensionCause
from contracts.framework.brokerage import BankHolidayOverride
from sourcing.domain.replay import replay_package
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import Outage, OutageOver
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.builders import a_market, an_urgent_request, on_monday, on_tuesday
from testkit.sourcing.competitions import CompetitionDesk, a_competing_definition, a_competition_desk, open_desk
from testkit.sourcing.recorded_search import RecordingDriver
from testkit.sourcing.step_events import list_event_types


def go_down(desk: CompetitionDesk, down: str, up: str) -> None:
    desk.driver.outages = (*desk.driver.outages, Outage(on_monday(down), on_monday(up)))


def test_an_outage_moves_the_close_and_the_end_of_questions_by_the_lost_brokerage_time() -> None:
    desk = open_desk("Alder")
    go_down(desk, "10:00", "10:30")
    step = desk.driver.handle(OutageOver(), at=on_monday("10:30"))
    assert list_event_types(step) == [CompetitionExtended]
    assert desk.competition.closes_at == on_monday("13:30")
    assert desk.competition.questions_until == on_monday("12:30")
    assert desk.driver.find_timer(TimerKind.COMPETITION_CLOSES).at == on_monday("13:30")


def test_an_outage_counts_once() -> None:
    desk = open_desk("Alder")
    go_down(desk, "10:00", "10:30")
    desk.driver.handle(OutageOver(), at=on_monday("10:30"))
    assert desk.driver.handle(OutageOver(), at=on_monday("10:31")).events == ()
    go_down(desk, "11:00", "11:10")
    desk.driver.handle(OutageOver(), at=on_monday("11:10"))
    assert desk.competition.closes_at == on_monday("13:40")


def test_a_bid_after_the_old_end_is_in_time_though_nobody_has_noticed_the_outage_yet() -> None:
    desk = open_desk("Alder")
    go_down(desk, "12:50", "13:20")
    step = desk.bid("Alder", "24.00", at=on_monday("13:25"))
    assert list_event_types(step) == [CompetitionExtended, BidReceived]
    assert desk.competition.closes_at == on_monday("13:30")


def test_the_timer_of_the_old_end_closes_nothing_after_an_outage() -> None:
    desk = open_desk("Alder")
    go_down(desk, "12:50", "13:20")
    step = desk.close(at=on_monday("13:20"))
    assert list_event_types(step) == [CompetitionExtended]
    assert desk.driver.find_timer(TimerKind.COMPETITION_CLOSES).at == on_monday("13:30")


def test_an_outage_over_the_end_of_the_day_leaves_the_rest_for_the_next_day() -> None:
    desk = open_desk("Alder", at=on_monday("12:00"))
    go_down(desk, "15:00", "16:45")
    desk.driver.handle(OutageOver(), at=on_monday("16:45"))
    assert desk.competition.closes_at == on_tuesday("09:15")


def test_an_urgent_competition_gains_plain_time() -> None:
    desk = a_competition_desk("Alder", at=on_monday("20:00"))
    desk.driver.request(an_urgent_request())
    go_down(desk, "20:30", "21:00")
    desk.driver.handle(OutageOver(), at=on_monday("21:00"))
    assert desk.competition.closes_at == on_monday("22:30")


def test_an_outage_after_the_close_changes_nothing() -> None:
    desk = open_desk("Alder")
    desk.bid("Alder", "24.00")
    desk.close()
    go_down(desk, "13:05", "13:30")
    assert desk.driver.handle(OutageOver(), at=on_monday("13:30")).events == ()


def test_a_proclaimed_holiday_moves_the_close_to_the_day_after() -> None:
    desk = open_desk("Alder", at=on_monday("16:00"))
    assert desk.competition.closes_at == on_tuesday("11:30")
    definition = desk.driver.market.definition
    assert definition is not None
    proclaimed = BankHolidayOverride(
        day=date(2026, 1, 13), closed=True, name="Invented day", proclaimed_on=date(2026, 1, 12)
    )
    brokerage = definition.brokerage.model_copy(update={"overrides": (proclaimed,)})
    changed = definition.model_copy(update={"brokerage": brokerage})
    desk.driver.market = replace(desk.driver.market, definition=changed)
    step = desk.close(at=on_tuesday("11:30"))
    (extended,) = step.events
    assert isinstance(extended, CompetitionExtended)
    assert extended.cause is ExtensionCause.PROCLAIMED_HOLIDAY
    assert desk.competition.closes_at == on_tuesday("11:30") + timedelta(days=1)


def test_a_replay_of_an_extended_competition_is_the_same() -> None:
    driver = RecordingDriver(a_market("Alder", definition=a_competing_definition()))
    driver.request()
    desk = CompetitionDesk(driver)
    go_down(desk, "12:50", "13:20")
    desk.bid("Alder", "24.00", at=on_monday("13:25"))
    desk.close()
    decisions = replay_package(driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    assert [each.differences for each in decisions if each.differences] == []
    assert any(isinstance(each.event, CompetitionExtended) for each in driver.record)
