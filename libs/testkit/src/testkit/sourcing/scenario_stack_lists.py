"""Sentences about lists on a running sourcing service: time passes from timer to timer, so that each list goes out."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Protocol

from contracts.catalogue import LISTS
from contracts.framework.stages import BatchingList, OpenList, Stage
from contracts.ids import PackageId
from testkit.databases import fetch_number, fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.list_desk import ListDesk
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.waiting import wait_until

_NEXT_TIMER: Final = "SELECT min(due_at) AS at FROM timers WHERE key = CAST(:package AS text) AND due_at <= :until"
_DUE: Final = """
    SELECT count(*) FROM timers WHERE due_at <= :now AND (key = CAST(:package AS text) OR topic = :lists)
"""
_ROWS: Final = "SELECT count(*) FROM list_rows WHERE package_id = :package"
_ENTRY: Final = "SELECT batching FROM searches WHERE package_id = :package"


class StackScenario(Protocol):
    """The part of a scenario on which these sentences stand."""

    harness: SourcingHarness

    @property
    def market(self) -> ScenarioMarket: ...
    @property
    def package(self) -> PackageId: ...


async def pass_timers(scenario: StackScenario, until: datetime) -> None:
    """Moves the clock to each timer of the package that is due until then, and waits until it has fired."""
    while True:
        (row,) = await fetch_rows(scenario.harness.database, _NEXT_TIMER, package=scenario.package, until=until)
        if row.at is None:
            break
        scenario.harness.set_clock(max(row.at, scenario.harness.now))
        await wait_until(lambda: has_no_due_timer(scenario), within=WAIT_TIMEOUT)
    scenario.harness.set_clock(until)


async def has_no_due_timer(scenario: StackScenario) -> bool:
    arguments = {"now": scenario.harness.now, "package": scenario.package, "lists": LISTS}
    return not await fetch_number(scenario.harness.database, _DUE, **arguments)


async def tick(scenario: StackScenario, name: str, *, interested: bool = True) -> HttpResponse:
    """Ticks the package on the newest list that went to the provider."""
    desk = ListDesk(scenario.market)
    return await desk.tick(name, await desk.wait_for_list(name), interested=interested)


async def check_list_count(scenario: StackScenario, number: Decimal) -> None:
    await wait_until(lambda: has_no_due_timer(scenario), within=WAIT_TIMEOUT)
    found = await fetch_number(scenario.harness.database, _ROWS, package=scenario.package)
    assert found == number, f"the package was on {found} lists"


async def check_list_closes(scenario: StackScenario, at: datetime) -> None:
    closes_at = (await _read_entry(scenario))["closes_at"]
    assert datetime.fromisoformat(closes_at) == at, f"the list closes {closes_at}"


async def check_names(scenario: StackScenario, of: str, names: tuple[str, ...]) -> None:
    """Checks the providers in one field of the package's row on the Batching List."""
    expected = [str(scenario.market.get_provider_id(name)) for name in names]
    entry = await _read_entry(scenario)
    assert entry[of] == expected, f"{of} are {entry[of]}"


async def _read_entry(scenario: StackScenario) -> dict[str, Any]:  # a row as JSON
    (row,) = await fetch_rows(scenario.harness.database, _ENTRY, package=scenario.package)
    assert row.batching is not None, "the package is on no Batching List"
    return json.loads(row.batching)


def is_timed_list(stage: Stage | None) -> bool:
    """Returns whether the stage is a list that goes out at times of its own."""
    return isinstance(stage, BatchingList) or (isinstance(stage, OpenList) and stage.issued is not None)
