"""Plays scenarios under a definition of `frameworks/` on a running sourcing service with Kafka and PostgreSQL.

What is given is published as provider-registry and pricing do. The sentences are checked on the events in the service's
journal, by the same methods as on the domain rules.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from contracts.catalogue import BY_TYPE, decode
from contracts.events.base import Event, PackageEvent
from contracts.events.frameworks import FrameworkPublished
from contracts.events.packages import FollowedPackage, PackageRequested
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    ProviderEmbargoed,
)
from contracts.ids import FrameworkKey, PackageId, ProviderId
from contracts.values import Care, Wishes
from sourcing.domain.evolution import replay_search
from sourcing.domain.market import MarketSnapshot, ProviderFacts
from testkit.databases import fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing import scenario_stack_lists as lists
from testkit.sourcing.builders import LONDON, to_provider_id
from testkit.sourcing.definition_words import read_framework
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.scenario_framework_runner import FrameworkScenarioRunner
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.sourcing.scenario_stack_runner import StackScenarioRunner
from testkit.sourcing.scenario_tables import ScenarioRow
from testkit.sourcing.search_driver import SearchDriver
from testkit.waiting import wait_until

_RECORD: Final = "SELECT type, occurred_at, payload FROM journal WHERE key = :key ORDER BY version"
_RESULTS: Final = {
    "accepted": "placed",
    "waiting": "the acceptance waits for the others",
    "declined": "declined",
    True: "ticked",
    False: "tick taken back",
}
"""The result of an answer in the words of the tables, by the status of its offer afterwards, or by the tick."""


class FrameworkStackRunner(StackScenarioRunner):
    """One scenario of a council, in a framework of its own that has the council's definition."""

    def __init__(self, harness: SourcingHarness, framework: str) -> None:
        _skip_holidays(harness, framework)
        super().__init__(harness)
        self.judge = FrameworkScenarioRunner(reader=self.reader)
        self._published: dict[str, ProviderFacts] = {}
        self._request: PackageRequested | None = None

    @property
    def setup(self) -> object:
        return self.judge

    @property
    def checks(self) -> object:
        return self.judge

    async def run_check(self, check: Callable[[], Awaitable[None]]) -> None:
        """Checks the events in the journal again and again until the sentence is true."""

        async def is_true() -> bool:
            await self._read_record()
            try:
                await check()
            except AssertionError:
                return False
            return True

        try:
            await wait_until(is_true, within=WAIT_TIMEOUT)
        except AssertionError:
            await check()
            raise

    async def advance_time(self, until: datetime) -> None:
        """Publishes what has changed, then moves the clock; where lists go out at times of their own, by timers."""
        if self._market is not None:
            await self._publish_changes()
        if self._package is not None and any(map(lists.is_timed_list, self.judge.framework.sourcing)):
            await lists.pass_timers(self, until)
        self.harness.set_clock(until)

    async def request_package(self) -> None:
        key = FrameworkKey(f"{self.judge.framework.framework}-{uuid4().hex[:8]}")
        self._market = market = ScenarioMarket(self.harness, key, self.judge.care.area, ())
        named = {"framework": key, "council": self.harness.council}
        definition = self.judge.framework.model_copy(update=named)
        await market.publish_from_registry(FrameworkPublished(definition=definition))
        for ranked in self.judge.list_ranked_lists(market.get_provider_id):
            await market.publish_from_registry(ranked.model_copy(update={"framework": key}))
        await self._publish_changes()
        self._package = PackageId(uuid4())
        self._request = self._build_request(self._package, key)
        await self.harness.referral.publish(self._request, at=self.harness.now)
        await self.harness.wait_for_decision(self._package)

    async def untick(self, name: str) -> None:
        self._record_result(await lists.tick(self, name, interested=False))

    def _record_result(self, answer: HttpResponse) -> None:
        super()._record_result(answer)
        status = answer.body.get("status", answer.body.get("interested"))
        self.judge.result = _RESULTS.get(status, self.result.partition(";")[0])

    def _build_request(self, package: PackageId, framework: FrameworkKey) -> PackageRequested:
        get_id, follows = self.market.get_provider_id, self.judge.follows
        starts_on = (self.harness.now + timedelta(days=7)).date()
        care: Care = self.judge.care.model_copy(update={"framework": framework, "starts_on": starts_on})
        followed = None
        if follows is not None:
            followed = FollowedPackage(
                package_id=follows.package_id, lot=follows.lot, provider_id=get_id(self.judge.followed)
            )
        wishes = Wishes(refused=tuple(map(get_id, self.judge.refused)))
        return PackageRequested(package_id=package, care=care, wishes=wishes, follows=followed)

    async def _publish_changes(self) -> None:
        """Publishes the facts of providers that are new or have changed, and waits until they are projected."""
        for name, facts in self.judge.known.items():
            before = self._published.get(name)
            if facts == before:
                continue
            for event in self._list_changes(name, facts, before):
                await self.market.publish_from_registry(event)
            for area, rates in facts.rates.items():
                if before is None or before.rates.get(area) != rates:
                    named = {"provider_id": self.market.get_provider_id(name), "framework": self.market.framework}
                    await self.market.publish_rates(rates.model_copy(update=named))
            self._published[name] = facts
        await self.market.wait_until_projected()

    def _list_changes(self, name: str, facts: ProviderFacts, before: ProviderFacts | None) -> Iterator[Event]:
        """Lists what provider-registry publishes of the changes; rates are pricing's."""
        provider = self.market.get_provider_id(name)
        if facts.eligibility is not None and (before is None or before.eligibility != facts.eligibility):
            yield self._translate_places(facts.eligibility, provider)
        if facts.channels is not None and (before is None or before.channels != facts.channels):
            yield ChannelsChanged(provider_id=provider, channels=facts.channels)
        if facts.embargoed and (before is None or not before.embargoed):
            yield ProviderEmbargoed(provider_id=provider, reason=EmbargoReason.SAFEGUARDING)
        if before is not None and before.embargoed and not facts.embargoed:
            yield EmbargoLifted(provider_id=provider)
        if facts.free_hours is not None and (before is None or before.free_hours != facts.free_hours):
            yield CapacityDeclared(
                provider_id=provider,
                area=self.judge.care.area,
                free_hours=facts.free_hours,
                declared_at=self.harness.now,
            )

    def _translate_places(self, eligibility: EligibilityChanged, provider: ProviderId) -> EligibilityChanged:
        own = {"framework": self.market.framework}
        places = tuple(place.model_copy(update=own) for place in eligibility.places)
        return eligibility.model_copy(update={"provider_id": provider, "places": places})

    async def _read_record(self) -> None:
        """Rebuilds the search from the journal, with the ids by which the checks know providers."""
        assert self._request is not None, "no package was requested"
        rows = await fetch_rows(self.harness.database, _RECORD, key=str(self.package))
        journal: list[tuple[PackageEvent, datetime]] = [(self._request, self.harness.now)]
        for row in rows:
            event = decode(BY_TYPE[row.type].event, self._translate(row.payload))
            assert isinstance(event, PackageEvent), row.type
            journal.append((event, row.occurred_at))
        driver = SearchDriver(MarketSnapshot(), at=self.harness.now)
        driver.journal, driver.state = journal, replay_search(journal)
        self.judge.show_record(driver)

    def _translate(self, payload: bytes) -> bytes:
        names = {*self.judge.known, self.judge.followed} - {""}
        for name in names:
            payload = payload.replace(
                str(self.market.get_provider_id(name)).encode(), str(to_provider_id(name)).encode()
            )
        return payload.replace(self.market.framework.encode(), self.judge.framework.framework.encode())


def create_stack_runner(harness: SourcingHarness, row: ScenarioRow) -> StackScenarioRunner:
    """Creates the runner of a row: with the definition that it names, or with the invented framework of the others."""
    return StackScenarioRunner(harness) if row.framework is None else FrameworkStackRunner(harness, row.framework)


def _skip_holidays(harness: SourcingHarness, framework: str) -> None:
    """Moves the clock to the next Monday of a week without a bank holiday of the framework."""
    holidays = read_framework(framework).brokerage.bank_holidays
    while any((harness.now + timedelta(days=days)).astimezone(LONDON).date() in holidays for days in range(8)):
        harness.move_to_next_monday()
