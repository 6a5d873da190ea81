"""Every decision of any search is the same when it is made again from the record."""

from typing import Final

from hypothesis import given, settings

from sourcing.domain.replay import replay_package
from sourcing.handlers import RUNTIME_TIMERS
from testkit.sourcing.recorded_search import RecordingDriver
from testkit.sourcing.strategies import draw_recorded_search

FEW: Final = settings(max_examples=60, deadline=None)


@FEW
@given(draw_recorded_search())
def test_every_decision_of_a_search_is_the_same_when_it_is_made_again(driver: RecordingDriver) -> None:
    replayed = replay_package(driver.record, driver.past.market, runtime_timers=RUNTIME_TIMERS)
    assert [(each.decision, each.differences) for each in replayed if not each.is_same] == []
    own = [each.event for each in driver.record if each.is_sourcing]
    assert [event for each in replayed for event in each.decision.events] == own
