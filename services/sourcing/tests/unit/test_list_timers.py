"""The timers of lists end with the search, also while its definition is not at hand."""

from dataclasses import replace

from contracts.framework.stages import Exhausted
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import TimerKind
from testkit.sourcing.builders import a_market, a_withdrawal, on_monday
from testkit.sourcing.definitions import MONDAYS_AND_THURSDAYS, a_batching_list, a_definition, a_stage, an_open_list
from testkit.sourcing.search_driver import SearchDriver


def test_a_withdrawal_cancels_the_cut_off_though_the_definition_is_missing() -> None:
    stages = (a_stage(exhausted=Exhausted.WAIT_FOR_LIST), a_batching_list())
    driver = SearchDriver(a_market("Alder", definition=a_definition(sourcing=stages))).request()
    assert driver.find_timer(TimerKind.LIST_CUT_OFF).at == on_monday("16:00")
    driver.market = replace(driver.market, definition=None)
    driver.handle(a_withdrawal())
    assert (driver.current.status, driver.timers) == (SearchStatus.STOPPED, {})


def test_a_withdrawal_cancels_the_next_list_though_the_definition_is_missing() -> None:
    open_list = an_open_list(issued=MONDAYS_AND_THURSDAYS)
    driver = SearchDriver(a_market("Alder", definition=a_definition(open_list=open_list))).request()
    driver.decline("Alder")
    assert driver.find_timer(TimerKind.LIST_GOES_OUT).at == on_monday("12:00")
    driver.market = replace(driver.market, definition=None)
    driver.handle(a_withdrawal())
    assert (driver.current.status, driver.timers) == (SearchStatus.STOPPED, {})
