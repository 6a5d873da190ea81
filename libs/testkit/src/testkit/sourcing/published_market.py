"""Publishes one framework and its providers, as provider-registry and pricing do, to a running sourcing service."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID, uuid5

from contracts.catalogue import PACKAGES, PROVIDERS, decode
from contracts.events.base import Event
from contracts.events.frameworks import Candidate, FrameworkPublished, RankedListPublished
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    EmbargoReason,
    Place,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, SelectedRate, Selection, make_rates_key
from contracts.example_words import LOT, ServiceTypes, Tiers, Units
from contracts.examples import a_definition, some_prices, some_service_types
from contracts.framework.brokerage import BankHolidayOverride, BrokerageTime
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.stages import OpenList, Stage
from contracts.framework.words import Area
from contracts.ids import AreaCode, FrameworkKey, ItemKey, ProviderId, ServiceTypeKey, TierKey
from contracts.values import Channel, PassOverReason, PlaceState, Rating
from service_runtime.unit_of_work.streams import StreamKey, stream_key_of
from testkit.databases import fetch_number, fetch_rows
from testkit.sourcing.definitions import a_stage, some_tiers
from testkit.sourcing.harness import WAIT_TIMEOUT, SourcingHarness
from testkit.waiting import wait_until

_LAST_PROJECTED: Final = "SELECT coalesce(max(sequence), 0) FROM projections WHERE key = :key"
_LAST_PROJECTED_OF_PROVIDER: Final = f"{_LAST_PROJECTED} OR starts_with(key, :key || '/')"
_RATES: Final = "SELECT body FROM projections WHERE view = 'rates' AND key = :key"
_USUAL_LINES: Final = some_prices().matrix
_MATRIX: Final = (
    *_USUAL_LINES,
    *(
        MatrixLine(service_type=each, unit=Units.HOUR, rate=Decimal("24.10"))
        for each in ServiceTypes.ALL
        if each not in {line.service_type for line in _USUAL_LINES}
    ),
)


@dataclass
class PublishedMarket:
    """One framework with one area and the providers of that area, each identified by an invented name.

    Keys and ids are unique to the object, so tests that share one service do not affect each other.
    """

    harness: SourcingHarness
    framework: FrameworkKey
    area: AreaCode
    tiers: tuple[TierKey, ...]
    open_list: OpenList | None = None
    rates_selected: bool = False
    stages: tuple[Stage, ...] = ()
    """In place of a stage of sequential offers for each tier."""
    _published: Counter[StreamKey] = field(default_factory=Counter[StreamKey])

    def get_provider_id(self, name: str) -> ProviderId:
        return ProviderId(uuid5(UUID(int=0), f"{self.framework}/{name}"))

    async def publish_definition(
        self,
        *,
        version: int = 1,
        bank_holidays: Iterable[date] = (date(2026, 12, 25),),
        overrides: Iterable[BankHolidayOverride] = (),
        in_force_from: date | None = None,
    ) -> None:
        """Publishes the framework with its stages, then the open list, if any."""
        definition = a_definition(
            framework=self.framework,
            version=version,
            council=self.harness.council,
            brokerage=BrokerageTime(bank_holidays=tuple(bank_holidays), overrides=tuple(overrides)),
            areas=(Area(code=self.area, name="Invented District"),),
            in_force_from=in_force_from,
            service_types=some_service_types(*ServiceTypes.ALL),
            tiers=some_tiers(*self.tiers),
            prices=some_prices(
                matrix=_MATRIX, rates_set_by=RatesSetBy.SELECTION if self.rates_selected else RatesSetBy.FRAMEWORK
            ),
            sourcing=(
                *(self.stages or map(a_stage, self.tiers)),
                *(() if self.open_list is None else (self.open_list,)),
            ),
        )
        await self.publish_from_registry(FrameworkPublished(definition=definition))

    async def publish_ranked_list(
        self, *names: str, tier: TierKey = Tiers.ONE, version: int = 1, live_from: date = date(2026, 1, 5)
    ) -> None:
        ranking = tuple(
            Candidate(provider_id=self.get_provider_id(name), rank=rank) for rank, name in enumerate(names, 1)
        )
        published = RankedListPublished(
            framework=self.framework,
            lot=LOT,
            area=self.area,
            tier=tier,
            list_version=version,
            issued_on=date(2026, 1, 1),
            live_from=live_from,
            ranking=ranking,
        )
        await self.publish_from_registry(published)

    async def add_providers(self, *names: str, channel: Channel = Channel.WEBHOOK) -> None:
        """Publishes providers that are eligible in every tier of the framework and reached by `channel`."""
        for name in names:
            await self.publish_eligibility(name)
            await self.publish_channel(name, channel)

    async def publish_eligibility(
        self,
        name: str,
        *,
        against: tuple[PassOverReason, ...] = (),
        service_types: tuple[ServiceTypeKey, ...] = (ServiceTypes.PERSONAL_CARE,),
        rating: Rating = Rating.GOOD,
        joined_on: date = date(2025, 1, 1),
    ) -> None:
        places = tuple(
            Place(
                framework=self.framework,
                lot=LOT,
                area=self.area,
                tier=tier,
                service_types=service_types,
                joined_on=joined_on,
                state=PlaceState.ACTIVE,
                eligible=not against,
                reasons=against,
            )
            for tier in self.tiers
        )
        event = EligibilityChanged(provider_id=self.get_provider_id(name), places=places, rating=rating)
        await self.publish_from_registry(event)

    async def add_spot_providers(self, *names: str, area: AreaCode | None = None, rating: Rating = Rating.GOOD) -> None:
        """Publishes spot providers, which are members of no framework, for `area` (by default the market's)."""
        for name in names:
            event = EligibilityChanged(
                provider_id=self.get_provider_id(name),
                places=(),
                spot_areas=(area or self.area,),
                rating=rating,
            )
            await self.publish_from_registry(event)

    async def select_rate(self, name: str, rate: str) -> None:
        """Publishes, as pricing, the provider's rate for personal care from 1 January 2026 on.

        `wait_until_projected` does not wait for this event.
        """
        line = SelectedRate(
            service_type=ServiceTypes.PERSONAL_CARE,
            item=ItemKey(ServiceTypes.PERSONAL_CARE),
            unit=Units.HOUR,
            number=1,
            rate=Decimal(rate),
        )
        event = RatesSelected(
            provider_id=self.get_provider_id(name),
            framework=self.framework,
            area=self.area,
            selections=(Selection(valid_from=date(2026, 1, 1), matrix_version=1, rates=(line,)),),
        )
        await self.harness.pricing.publish(event, at=self.harness.now)

    async def publish_channel(self, name: str, *channels: Channel) -> None:
        await self.publish_from_registry(
            ChannelsChanged(provider_id=self.get_provider_id(name), channels=channels or (Channel.WEBHOOK,))
        )

    async def declare_capacity(self, name: str, *, free: str) -> None:
        declared = CapacityDeclared(
            provider_id=self.get_provider_id(name),
            area=self.area,
            free_hours=Decimal(free),
            declared_at=self.harness.now,
        )
        await self.publish_from_registry(declared)

    async def embargo(self, name: str) -> None:
        await self.publish_from_registry(
            ProviderEmbargoed(provider_id=self.get_provider_id(name), reason=EmbargoReason.SAFEGUARDING)
        )

    async def lift_embargo(self, name: str) -> None:
        await self.publish_from_registry(EmbargoLifted(provider_id=self.get_provider_id(name)))

    async def publish_rates(self, event: RatesSelected) -> None:
        """Publishes, as pricing, a provider's rates of one area, and waits until sourcing has projected them."""
        await self.harness.pricing.publish(event, at=self.harness.now)
        key = make_rates_key(event.provider_id, event.framework, event.area)
        await wait_until(lambda: self._has_rates(key, event), within=WAIT_TIMEOUT)

    async def _has_rates(self, key: str, event: RatesSelected) -> bool:
        rows = await fetch_rows(self.harness.database, _RATES, key=key)
        return [decode(RatesSelected, row.body) for row in rows] == [event]

    async def wait_until_projected(self) -> None:
        """Waits until sourcing's projections contain every event of provider-registry about this market."""
        for stream, sequence in self._published.items():
            await wait_until(
                lambda stream=stream, sequence=sequence: self._is_projected(stream, sequence), within=WAIT_TIMEOUT
            )

    async def _is_projected(self, stream: StreamKey, sequence: int) -> bool:
        # Capacity is projected by provider and area. A framework's lists have their own streams, so the prefix of a
        # framework's key must not count.
        query = _LAST_PROJECTED_OF_PROVIDER if stream.topic == PROVIDERS else _LAST_PROJECTED
        return await fetch_number(self.harness.database, query, key=stream.key) >= sequence

    async def publish_from_registry(self, event: Event) -> None:
        await self.harness.registry.publish(event, at=self.harness.now)
        stream = stream_key_of(event)
        if stream.topic != PACKAGES:
            self._published[stream] += 1
