"""The rows of the scenario tables that are marked so, played on a running sourcing with Kafka and PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest

from contracts.events.listings import Variation
from contracts.framework import OpenList
from contracts.ids import PackageId
from contracts.values import Channel, Tier
from testkit.databases import rows
from testkit.running_services import Reply
from testkit.sourcing.builders import LONDON, an_open_list
from testkit.sourcing.harness import PATIENCE, House
from testkit.sourcing.responses import OfferRead
from testkit.sourcing.scenario_market import Town
from testkit.sourcing.scenario_tables import Diary, Row, play, rows_in
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("sourcing")

TABLES: Final = Path(__file__).parents[4] / "tests" / "scenarios"
ROWS: Final = [row for row in rows_in(TABLES) if row.is_for_running_stack]
CHANNELS: Final = {"telephone": Channel.PHONE, "email": Channel.EMAIL, "webhook": Channel.WEBHOOK}
ANSWERS: Final = {200: "placed", 201: "the proposal stands", 202: "a second officer has to approve the price"}


class OnStack:
    """One scenario, in a town of its own; what was given is published when the package is requested."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.diary = Diary.of_week(house.now.astimezone(LONDON).date())
        self.told = "nothing"
        self._lists: dict[Tier, tuple[str, ...] | None] = {}
        self._spot: tuple[str, ...] = ()
        self._open_list: OpenList | None = None
        self._refused: tuple[str, ...] = ()
        self._then_publish: list[Callable[[Town], Awaitable[None]]] = []
        self._town: Town | None = None
        self._package: PackageId | None = None

    # --- given

    def ranks(self, tier: Decimal, names: tuple[str, ...]) -> None:
        self._lists[Tier(int(tier))] = names

    def lacks_list(self, tier: Decimal) -> None:
        self._lists[Tier(int(tier))] = None

    def has_open_list(self, ceiling: Decimal) -> None:
        self._open_list = an_open_list(ceiling=ceiling)

    def sell_spot(self, names: tuple[str, ...]) -> None:
        self._spot = names

    def is_embargoed(self, name: str) -> None:
        self._then_publish.append(lambda town: town.embargoes(name))

    def is_reached_by(self, name: str, channels: str) -> None:
        order = [CHANNELS[channel] for channel in channels.split(", then ")]
        self._then_publish.append(lambda town: town.publishes_channel(name, *order))

    def are_refused(self, names: tuple[str, ...]) -> None:
        self._refused = names

    # --- when

    @property
    def town(self) -> Town:
        assert self._town is not None, "no package was requested"
        return self._town

    @property
    def package(self) -> PackageId:
        assert self._package is not None, "no package was requested"
        return self._package

    def passes_time(self, until: datetime) -> None:
        self.house.set_clock(until)

    async def is_requested(self) -> None:
        self._town = town = Town.empty(self.house, tiers=sorted(self._lists), open_list=self._open_list)
        await town.publishes_definition()
        await town.introduces(*sorted({name for names in self._lists.values() for name in names or ()}))
        await town.introduces_spot(*self._spot)
        for tier, names in self._lists.items():
            if names is not None:
                await town.publishes_list(*names, tier=tier)
        for publish in self._then_publish:
            await publish(town)
        await town.until_heard()
        self._package = await town.requests(refused=self._refused)
        await self.house.decision(self._package)

    async def is_withdrawn(self) -> None:
        await self.town.withdraws(self.package)

    def rests(self) -> None:
        """Nothing more happens."""

    async def receives(self, name: str) -> None:
        await self.town.receives(name, await self.town.offer_to(name, self.package))

    async def is_not_delivered(self, name: str) -> None:
        await self.town.cannot_be_reached(name, await self.town.offer_to(name, self.package))

    async def accepts(self, name: str) -> None:
        self._hears(await self.town.accepts(name, await self._offer(name)))

    async def declines(self, name: str) -> None:
        self._hears(await self.town.declines(name, await self._offer(name)))

    async def is_called_in_vain(self, name: str) -> None:
        self._hears(await self.town.calls((await self._offer(name)).offer_id, "nobody reached"))

    async def proposes(self, name: str, rate: Decimal, *variations: Variation) -> None:
        reference = (await self.house.proposals(await self._opened())).advert.reference
        self._hears(await self.town.proposes(name, reference, str(rate), *variations))

    async def proposes_other_times(self, name: str, rate: Decimal) -> None:
        await self.proposes(name, rate, Variation.OTHER_TIMES)

    async def awards(self, officer: str, name: str) -> None:
        proposal = await self.town.proposal_of(name, self.package)
        self._hears(await self.house.awards(self.package, proposal.proposal_id, officer=officer))

    async def approves(self, officer: str) -> None:
        proposals = await self.house.proposals(self.package)
        assert proposals.awaiting_approval is not None, "no award waits"
        await self.house.approves(self.package, proposals.awaiting_approval, proposals.items[0], officer=officer)

    async def _opened(self) -> PackageId:
        """The package, once it has been open to all."""
        await self.house.until_happened(self.package, "PackageListed")
        return self.package

    async def _offer(self, name: str) -> OfferRead:
        """The newest offer of the package to this provider, live or ended, as soon as there is one."""

        async def there() -> OfferRead | None:
            offers = await self.town.offers_of(name, only_live=False)
            return next((each for each in offers if each.package_id == self.package), None)

        return await until(there, within=PATIENCE)

    def _hears(self, answer: Reply) -> None:
        self.told = ANSWERS.get(answer.status) or answer.body["detail"]

    # --- then

    async def is_live(self, name: str) -> None:
        await self.town.offer_to(name, self.package)

    async def ends(self, name: str, at: datetime) -> None:
        async def is_so() -> bool:
            return (await self._offer(name)).answer_by == at

        await until(is_so, within=PATIENCE)

    async def goes_by(self, name: str, channel: str) -> None:
        async def is_so() -> bool:
            return (await self._offer(name)).channel == CHANNELS[channel]

        await until(is_so, within=PATIENCE)

    async def nobody_has_offer(self) -> None:
        names = sorted({name for names in self._lists.values() for name in names or ()})
        assert [offer for name in names for offer in await self.town.offers_of(name)] == []

    async def was_asked(self, name: str, at: datetime) -> None:
        assert (await self._offer(name)).made_at == at

    async def were_asked(self, names: tuple[str, ...]) -> None:
        expected = [self.town.provider(name) for name in names]

        async def are_so() -> bool:
            found = await rows(
                self.house.database,
                "SELECT provider_id FROM offers WHERE package_id = :package ORDER BY turn",
                package=self.package,
            )
            return [each.provider_id for each in found] == expected

        await until(are_so, within=PATIENCE)

    async def was_passed_over(self, name: str, reasons: str) -> None:
        decision = await self.house.until_happened(self.package, "ProviderPassedOver")
        found = [turn.reasons for turn in decision.turns if turn.provider_id == self.town.provider(name)]
        assert found == [reasons.split(", ")]

    async def came_out(self, name: str, stage: str, outcome: str) -> None:
        async def is_so() -> bool:
            told = (await self.house.decision(self.package)).stages
            turns = [turn for each in told if each.stage == stage for turn in each.turns]
            return [turn.outcome for turn in turns if turn.provider_id == self.town.provider(name)] == [outcome]

        await until(is_so, within=PATIENCE)

    async def is_placed(self, name: str) -> None:
        decision = await self.house.until_status(self.package, "placed")
        assert decision.placed_with == self.town.provider(name)

    async def is_placed_at(self, name: str, rate: Decimal) -> None:
        await self.is_placed(name)
        found = await rows(
            self.house.database,
            "SELECT CAST(terms ->> 'rate' AS numeric) AS rate FROM placements WHERE package_id = :package",
            package=self.package,
        )
        assert [each.rate for each in found] == [rate]

    async def is_voided(self) -> None:
        await self.house.until_happened(self.package, "PlacementVoided")

    async def is_in_state(self, status: str) -> None:
        await self.house.until_status(self.package, "listed" if status == "open to all" else status)

    def was_told(self, words: str) -> None:
        assert words in self.told, f"told was: {self.told}"

    async def has_work(self, what: str) -> None:
        async def is_so() -> bool:
            return (await self.house.work_item(self.package)).what == what

        await until(is_so, within=PATIENCE)

    async def is_held_for(self, what: str) -> None:
        missing = (await self.house.work_item(self.package)).missing
        lists = f"ranked-lists/{self.town.framework}/{self.town.area}/"
        assert [each.replace(lists, "the list of tier ") for each in missing] == what.split(", ")

    async def happened_once(self) -> None:
        happened = (await self.house.decision(self.package)).happened
        assert happened.count("PackagePlaced") <= 1
        assert happened.count("SourcingStopped") <= 1


@pytest.mark.parametrize("row", ROWS, ids=[f"{row.place.partition('.')[0]}: {row.sentence}" for row in ROWS])
async def test_scenario_on_the_running_stack(house: House, row: Row) -> None:
    player = OnStack(house)
    await play(row, player)
    assert await house.faults([player.package]) == []
