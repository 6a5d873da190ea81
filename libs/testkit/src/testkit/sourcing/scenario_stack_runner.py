"""Plays scenarios of the invented framework on a running sourcing service with Kafka and PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Final

from contracts.example_words import LOT, Variations
from contracts.framework.stages import BatchingList, Exhausted, OpenList, Stage
from contracts.ids import PackageId, ReasonKey, TierKey
from contracts.values import Channel
from testkit.databases import fetch_rows
from testkit.http_response import HttpResponse
from testkit.sourcing import scenario_stack_lists as lists
from testkit.sourcing.builders import LONDON
from testkit.sourcing.definitions import MONDAYS_AND_THURSDAYS, a_batching_list, a_stage, an_open_list
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.sourcing.responses import OfferResponse
from testkit.sourcing.scenario_market import ScenarioMarket
from testkit.sourcing.scenario_tables import InstantReader
from testkit.waiting import wait_until

CHANNELS: Final = {"telephone": Channel.PHONE, "email": Channel.EMAIL, "webhook": Channel.WEBHOOK}
ANSWERS: Final = {200: "placed", 201: "the proposal stands", 202: "a second officer has to approve the price"}


class StackScenarioRunner:
    """One scenario, in a market of its own; what was given is published when the package is requested."""

    def __init__(self, harness: SourcingHarness) -> None:
        self.harness = harness
        self.reader = InstantReader.from_monday(harness.now.astimezone(LONDON).date())
        self.result = "nothing"
        self._lists: dict[TierKey, tuple[str, ...] | None] = {}
        self._spot: tuple[str, ...] = ()
        self._open_list: OpenList | None = None
        self._batching_list: BatchingList | None = None
        self._refused: tuple[str, ...] = ()
        self._then_publish: list[Callable[[ScenarioMarket], Awaitable[None]]] = []
        self._market: ScenarioMarket | None = None
        self._package: PackageId | None = None

    @property
    def setup(self) -> object:
        """Has the Given sentences: they are methods of the runner itself."""
        return self

    @property
    def checks(self) -> object:
        """Has the Then sentences. Each waits until it is true."""
        return self

    async def run_check(self, check: Callable[[], Awaitable[None]]) -> None:
        await check()

    # --- given

    def rank_providers(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self._lists[TierKey(f"tier-{tier}")] = names

    def remove_list(self, tier: Decimal) -> None:
        self._lists[TierKey(f"tier-{tier}")] = None

    def add_open_list(self, ceiling: Decimal) -> None:
        self._open_list = an_open_list(ceiling=ceiling)

    def add_batching_list(self) -> None:
        self._batching_list = a_batching_list()

    def add_dated_open_list(self) -> None:
        self._open_list = an_open_list(issued=MONDAYS_AND_THURSDAYS)

    def add_spot_providers(self, names: tuple[str, ...]) -> None:
        self._spot = names

    def embargo(self, name: str) -> None:
        self._then_publish.append(lambda market: market.embargo(name))

    def set_channels(self, name: str, channels: str) -> None:
        order = [CHANNELS[channel] for channel in channels.split(", then ")]
        self._then_publish.append(lambda market: market.publish_channel(name, *order))

    def refuse_providers(self, names: tuple[str, ...]) -> None:
        self._refused = names

    # --- when

    @property
    def market(self) -> ScenarioMarket:
        assert self._market is not None, "no package was requested"
        return self._market

    @property
    def package(self) -> PackageId:
        assert self._package is not None, "no package was requested"
        return self._package

    async def advance_time(self, until: datetime) -> None:
        if self._package is not None and any(map(lists.is_timed_list, (self._batching_list, self._open_list))):
            await lists.pass_timers(self, until)
        self.harness.set_clock(until)

    async def request_package(self) -> None:
        self._market = market = ScenarioMarket.create_empty(
            self.harness, tiers=sorted(self._lists), open_list=self._open_list, stages=self._build_stages()
        )
        await market.publish_definition()
        await market.add_providers(*sorted({name for names in self._lists.values() for name in names or ()}))
        await market.add_spot_providers(*self._spot)
        for tier, names in self._lists.items():
            if names is not None:
                await market.publish_ranked_list(*names, tier=tier)
        for publish in self._then_publish:
            await publish(market)
        await market.wait_until_projected()
        self._package = await market.request_package(refused=self._refused)
        await self.harness.wait_for_decision(self._package)

    def _build_stages(self) -> tuple[Stage, ...]:
        """The stages where a Batching List is among them; else none, for the usual ones."""
        if self._batching_list is None:
            return ()
        first, *others = sorted(self._lists)
        return (a_stage(first, exhausted=Exhausted.WAIT_FOR_LIST), self._batching_list, *map(a_stage, others))

    async def withdraw_package(self) -> None:
        await self.market.withdraw_package(self.package)

    def settle(self) -> None:
        """Nothing more happens."""

    async def receive_offer(self, name: str) -> None:
        await self.market.receive_offer(name, await self.market.wait_for_offer(name, self.package))

    async def fail_delivery(self, name: str) -> None:
        await self.market.report_undeliverable(name, await self.market.wait_for_offer(name, self.package))

    async def accept(self, name: str) -> None:
        self._record_result(await self.market.accept(name, await self._wait_for_offer(name)))

    async def decline(self, name: str) -> None:
        self._record_result(await self.market.decline(name, await self._wait_for_offer(name)))

    async def record_unanswered_call(self, name: str) -> None:
        self._record_result(
            await self.market.record_call((await self._wait_for_offer(name)).offer_id, "nobody reached")
        )

    async def tick(self, name: str) -> None:
        self._record_result(await lists.tick(self, name))

    async def propose(self, name: str, rate: Decimal, *variations: ReasonKey) -> None:
        reference = (await self.harness.list_proposals(await self._wait_until_listed())).advert.reference
        self._record_result(await self.market.propose(name, reference, str(rate), *variations))

    async def propose_other_times(self, name: str, rate: Decimal) -> None:
        await self.propose(name, rate, Variations.OTHER_TIMES)

    async def award(self, officer: str, name: str) -> None:
        proposal = await self.market.find_proposal(name, self.package)
        self._record_result(await self.harness.award(self.package, proposal.proposal_id, officer=officer))

    async def approve_price(self, officer: str) -> None:
        proposals = await self.harness.list_proposals(self.package)
        assert proposals.awaiting_approval is not None, "no award waits"
        await self.harness.approve_price(self.package, proposals.awaiting_approval, proposals.items[0], officer=officer)

    async def _wait_until_listed(self) -> PackageId:
        """The package, once it has been open to all."""
        await self.harness.wait_for_event(self.package, "PackageListed")
        return self.package

    async def _wait_for_offer(self, name: str) -> OfferResponse:
        """The newest offer of the package to this provider, live or ended, as soon as there is one."""

        async def there() -> OfferResponse | None:
            offers = await self.market.list_offers(name, only_live=False)
            return next((each for each in offers if each.package_id == self.package), None)

        return await wait_until(there, within=WAIT_TIMEOUT)

    def _record_result(self, answer: HttpResponse) -> None:
        self.result = ANSWERS.get(answer.status) or answer.body["detail"]

    # --- then

    async def check_live_offer(self, name: str) -> None:
        await self.market.wait_for_offer(name, self.package)

    async def check_list_count(self, number: Decimal) -> None:
        await lists.check_list_count(self, number)

    async def check_list_closes(self, at: datetime) -> None:
        await lists.check_list_closes(self, at)

    async def check_late_ticks(self, names: tuple[str, ...]) -> None:
        await lists.check_names(self, "late_ticks", names)

    async def check_answer_by(self, name: str, at: datetime) -> None:
        async def is_so() -> bool:
            return (await self._wait_for_offer(name)).answer_by == at

        await wait_until(is_so, within=WAIT_TIMEOUT)

    async def check_channel(self, name: str, channel: str) -> None:
        async def is_so() -> bool:
            return (await self._wait_for_offer(name)).channel == CHANNELS[channel]

        await wait_until(is_so, within=WAIT_TIMEOUT)

    async def check_no_live_offer(self) -> None:
        names = sorted({name for names in self._lists.values() for name in names or ()})
        assert [offer for name in names for offer in await self.market.list_offers(name)] == []

    async def check_offer_made_at(self, name: str, at: datetime) -> None:
        assert (await self._wait_for_offer(name)).made_at == at

    async def check_offer_order(self, names: tuple[str, ...]) -> None:
        expected = [self.market.get_provider_id(name) for name in names]

        async def are_so() -> bool:
            found = await fetch_rows(
                self.harness.database,
                "SELECT provider_id FROM offers WHERE package_id = :package ORDER BY turn",
                package=self.package,
            )
            return [each.provider_id for each in found] == expected

        await wait_until(are_so, within=WAIT_TIMEOUT)

    async def check_passed_over(self, name: str, reasons: str) -> None:
        decision = await self.harness.wait_for_event(self.package, "ProviderPassedOver")
        found = [turn.reasons for turn in decision.turns if turn.provider_id == self.market.get_provider_id(name)]
        assert found == [reasons.split(", ")]

    async def check_turn_outcome(self, name: str, stage: str, outcome: str) -> None:
        async def is_so() -> bool:
            stages = (await self.harness.wait_for_decision(self.package)).stages
            turns = [turn for each in stages if each.stage == stage for turn in each.turns]
            return [turn.outcome for turn in turns if turn.provider_id == self.market.get_provider_id(name)] == [
                outcome
            ]

        await wait_until(is_so, within=WAIT_TIMEOUT)

    async def check_placement(self, name: str) -> None:
        decision = await self.harness.wait_for_status(self.package, "placed")
        assert decision.placed_with == self.market.get_provider_id(name)

    async def check_placement_rate(self, name: str, rate: Decimal) -> None:
        await self.check_placement(name)
        found = await fetch_rows(
            self.harness.database,
            "SELECT CAST(terms #>> '{lines,0,rate}' AS numeric) AS rate FROM placements WHERE package_id = :package",
            package=self.package,
        )
        assert [each.rate for each in found] == [rate]

    async def check_voided(self) -> None:
        await self.harness.wait_for_event(self.package, "PlacementVoided")

    async def check_status(self, status: str) -> None:
        await self.harness.wait_for_status(self.package, "listed" if status == "open to all" else status)

    def check_result(self, words: str) -> None:
        assert words in self.result, f"told was: {self.result}"

    async def check_work_item(self, what: str) -> None:
        async def is_so() -> bool:
            return (await self.harness.wait_for_work_item(self.package)).what == what

        await wait_until(is_so, within=WAIT_TIMEOUT)

    async def check_missing(self, what: str) -> None:
        missing = (await self.harness.wait_for_work_item(self.package)).missing
        lists = f"ranked-lists/{self.market.framework}/{LOT}/{self.market.area}/tier-"
        assert [each.replace(lists, "the list of tier ") for each in missing] == what.split(", ")

    async def check_no_repeated_end(self) -> None:
        happened = (await self.harness.wait_for_decision(self.package)).event_types
        assert happened.count("PackagePlaced") <= 1
        assert happened.count("SourcingStopped") <= 1
