"""The Then sentences of the scenario tables about lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.events.lists import ListRowAdded
from contracts.ids import ProviderId
from sourcing.domain.batching_entry import BatchingEntry, EntryStatus
from sourcing.domain.next_step import find_next_step
from testkit.sourcing.builders import to_provider_id
from testkit.sourcing.scenario_setup import ScenarioSetup


@dataclass
class ScenarioListChecks(ScenarioSetup):
    """Checks of a package's rows on lists. Each raises AssertionError with what was found instead."""

    def check_list_closes(self, at: datetime) -> None:
        assert self._entry.is_out, f"the list is {self._entry.status}"
        assert self._entry.closes_at == at, f"the list closes {self._entry.closes_at}"

    def check_list_providers(self, names: tuple[str, ...]) -> None:
        self._check_names(self._entry.providers, names)

    def check_ticks(self, names: tuple[str, ...]) -> None:
        self._check_names(self._entry.ticks_in_order, names)

    def check_late_ticks(self, names: tuple[str, ...]) -> None:
        self._check_names(self._entry.late_ticks, names)

    def check_no_list(self) -> None:
        assert not self._rows, f"the package is on the lists of {[row.day.isoformat() for row in self._rows]}"

    def check_off_list(self) -> None:
        assert self._entry.status is EntryStatus.REMOVED, f"the list is {self._entry.status}"

    def check_list_days(self, days: str) -> None:
        found = ", ".join(f"{row.day.day} {row.day:%B}" for row in self._rows)
        assert found == days, f"it was on the lists of {found or 'no day'}"

    def check_list_count(self, number: Decimal) -> None:
        assert len(self._rows) == number, f"the package was on {len(self._rows)} lists"

    def check_moved_list(self, day: date) -> None:
        assert self._rows, "the package is on no list"
        assert self._rows[-1].moved_from == day, f"the last list moved from {self._rows[-1].moved_from}"

    def check_late_list(self) -> None:
        assert self._rows, "the package is on no list"
        assert self._rows[-1].late, "the last list is in time"

    def check_next_step(self, text: str) -> None:
        found = find_next_step(self.driver.current, self._build_definition(), now=self.driver.at).text
        assert found == text, f"the next step is: {found}"

    @property
    def _rows(self) -> list[ListRowAdded]:
        return [event for event in self.driver.events if isinstance(event, ListRowAdded)]

    @property
    def _entry(self) -> BatchingEntry:
        entry = self.driver.current.batching
        assert entry is not None, "the package is on no Batching List"
        return entry

    def _check_names(self, found: Iterable[ProviderId], names: tuple[str, ...]) -> None:
        providers = list(found)
        assert providers == [to_provider_id(name) for name in names], f"found {self._list_names(providers)}"

    def _list_names(self, providers: Iterable[ProviderId]) -> str:
        names = {to_provider_id(name): name for name in self.known}
        return ", ".join(names.get(each, str(each)) for each in providers) or "nobody"
