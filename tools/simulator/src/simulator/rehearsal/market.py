"""The invented market of a rehearsal: the same providers under both definitions, with places by each one's tiers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid5

from contracts.events.frameworks import Candidate, RankedListPublished
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.rates import RatesSelected, SelectedRate, Selection
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine, RatesSetBy
from contracts.framework.tiers import Tier
from contracts.framework.words import Lot
from contracts.ids import AreaCode, GroupKey, LotKey, ProviderId, TierKey
from contracts.values import Care, Channel, PlaceState, Rating
from sourcing.domain.market import MarketSnapshot, PlaceHolder, ProviderFacts

_NAMES: Final = UUID("6f7c0000-0000-4000-8000-00000000ea51")
PROVIDERS_PER_AREA: Final = 12
SPOT_PROVIDERS_PER_AREA: Final = 6
CAPACITY_OVER_DEMAND: Final = 2
"""Free hours of all providers, as a multiple of the hours that the referrals need."""
_USUAL_CAP: Final = 4
"""Providers that a tier without a cap takes, if another tier follows it."""


@dataclass(frozen=True)
class RehearsalProvider:
    """An invented provider of one area. Quality decides its tier, keenness how often it accepts."""

    provider_id: ProviderId
    area: AreaCode
    quality: float
    keenness: float
    silence: float
    capacity_share: float
    """Of the hours of all referrals; the shares of all members add up to about CAPACITY_OVER_DEMAND."""
    rate_position: float
    """Between 0, the lowest rate of a price line, and 1, the highest."""
    spot: bool = False


@dataclass
class RehearsalMarket:
    """The providers under one definition; facts change as packages are placed."""

    definition: FrameworkDefinition
    providers: Mapping[ProviderId, RehearsalProvider]
    holders: Mapping[tuple[LotKey, AreaCode], Sequence[PlaceHolder]]
    facts: dict[ProviderId, ProviderFacts]
    last_awards: dict[tuple[LotKey, AreaCode], dict[ProviderId, datetime]] = field(
        default_factory=dict[tuple[LotKey, AreaCode], dict[ProviderId, datetime]]
    )
    _lists: dict[tuple[LotKey, AreaCode, GroupKey | None], Mapping[TierKey, RankedListPublished]] = field(
        default_factory=dict[tuple[LotKey, AreaCode, GroupKey | None], Mapping[TierKey, RankedListPublished]]
    )

    def get_snapshot(self, care: Care) -> MarketSnapshot:
        area = self.definition.find_area(care.area)
        areas = (care.area, *(area.neighbours if area is not None else ()))
        return MarketSnapshot(
            definition=self.definition,
            ranked_lists=self._get_lists(care),
            facts=self.facts,
            holders=[holder for each in areas for holder in self.holders.get((care.lot, each), ())],
            last_awards=self.last_awards.get((care.lot, care.area), {}),
        )

    def record_placement(self, care: Care, provider_id: ProviderId, at: datetime) -> None:
        """Takes the hours from the provider's capacity, and notes the award for rotations."""
        facts = self.facts[provider_id]
        left = (facts.free_hours or Decimal(0)) - care.weekly_hours
        self.facts[provider_id] = replace(facts, free_hours=max(left, Decimal(0)))
        self.last_awards.setdefault((care.lot, care.area), {})[provider_id] = at

    def list_proposers(self, care: Care) -> Sequence[RehearsalProvider]:
        """Returns who may propose for a listed package: spot providers and holders of places in the area."""
        return [each for each in self.providers.values() if each.area == care.area]

    def _get_lists(self, care: Care) -> Mapping[TierKey, RankedListPublished]:
        key = (care.lot, care.area, self.definition.find_list_group(care))
        if key not in self._lists:
            self._lists[key] = {tier.tier: self._rank(tier.tier, key) for tier in self.definition.tiers}
        return self._lists[key]

    def _rank(self, tier: TierKey, key: tuple[LotKey, AreaCode, GroupKey | None]) -> RankedListPublished:
        lot, area, group = key
        members = [each for each in self.holders.get((lot, area), ()) if each.place.tier == tier]
        best_first = sorted(members, key=lambda each: -self.providers[each.provider_id].quality)
        return RankedListPublished(
            framework=self.definition.framework,
            lot=lot,
            area=area,
            tier=tier,
            group=group,
            list_version=1,
            issued_on=self.definition.runs_from,
            live_from=self.definition.runs_from,
            ranking=tuple(
                Candidate(provider_id=each.provider_id, rank=rank) for rank, each in enumerate(best_first, start=1)
            ),
        )


def draw_providers(areas: Sequence[AreaCode], *, seed: int) -> Sequence[RehearsalProvider]:
    """Draws the providers of each area: the same for every definition."""
    return [
        provider
        for area in areas
        for number in range(PROVIDERS_PER_AREA + SPOT_PROVIDERS_PER_AREA)
        for provider in (_draw_provider(area, number, seed),)
    ]


def _draw_provider(area: AreaCode, number: int, seed: int) -> RehearsalProvider:
    chance = Random(f"{seed}/provider/{area}/{number}")
    return RehearsalProvider(
        provider_id=ProviderId(uuid5(_NAMES, f"{area}/{number}")),
        area=area,
        quality=chance.random(),
        keenness=chance.uniform(0.15, 0.6),
        silence=chance.uniform(0.02, 0.15),
        capacity_share=chance.uniform(0.4, 1.6),
        rate_position=chance.random(),
        spot=number >= PROVIDERS_PER_AREA,
    )


def build_market(
    definition: FrameworkDefinition, providers: Sequence[RehearsalProvider], *, demand: Decimal, joined_on: date
) -> RehearsalMarket:
    """Gives the providers their places: the best of an area in the first tier up to its cap, the others in the next.

    `demand` is the weekly hours of all referrals, to which the providers' free hours are in proportion.
    """
    places: dict[ProviderId, list[Place]] = {each.provider_id: [] for each in providers}
    for lot in definition.lots:
        for area in definition.areas:
            members = [each for each in providers if each.area == area.code and not each.spot]
            if lot.has_area(area.code):
                _assign_places(definition, lot, members, places, joined_on)
    hours = demand * CAPACITY_OVER_DEMAND / max(len(providers), 1)
    facts = {
        each.provider_id: _build_facts(definition, each, places[each.provider_id], hours, joined_on)
        for each in providers
    }
    holders: dict[tuple[LotKey, AreaCode], list[PlaceHolder]] = {}
    for provider_id, held in places.items():
        for place in held:
            holders.setdefault((place.lot, place.area), []).append(PlaceHolder(provider_id, place))
    return RehearsalMarket(definition, {each.provider_id: each for each in providers}, holders, facts)


def _assign_places(
    definition: FrameworkDefinition,
    lot: Lot,
    members: Sequence[RehearsalProvider],
    places: Mapping[ProviderId, list[Place]],
    joined_on: date,
) -> None:
    tiers = [tier for tier in definition.tiers if tier.exists_in(lot.lot)]
    best_first = sorted(members, key=lambda each: -each.quality)
    for number, (tier, provider) in enumerate(_share_out(tiers, best_first), start=1):
        places[provider.provider_id].append(
            Place(
                framework=definition.framework,
                lot=lot.lot,
                area=provider.area,
                tier=tier.tier,
                service_types=definition.list_service_types(lot.lot),
                number=number,
                joined_on=joined_on,
                state=PlaceState.ACTIVE,
                eligible=True,
            )
        )


def _share_out(tiers: Sequence[Tier], members: Sequence[RehearsalProvider]) -> Iterator[tuple[Tier, RehearsalProvider]]:
    left = list(members)
    for tier in tiers:
        cap = len(left) if tier is tiers[-1] else tier.providers_per_area or _USUAL_CAP
        yield from ((tier, each) for each in left[:cap])
        left = left[cap:]


def _build_facts(
    definition: FrameworkDefinition,
    provider: RehearsalProvider,
    places: Sequence[Place],
    hours: Decimal,
    joined_on: date,
) -> ProviderFacts:
    rates = {provider.area: _build_rates(definition, provider, joined_on)} if places else {}
    return ProviderFacts(
        provider_id=provider.provider_id,
        eligibility=EligibilityChanged(
            provider_id=provider.provider_id,
            places=tuple(places),
            skills=tuple(skill.skill for skill in definition.skills),
            spot_areas=(provider.area,) if provider.spot else (),
            rating=Rating.GOOD,
        ),
        channels=(Channel.WEBHOOK,),
        free_hours=(hours * Decimal(str(provider.capacity_share))).quantize(Decimal("0.01")),
        rates={area: each for area, each in rates.items() if each is not None},
    )


def _build_rates(definition: FrameworkDefinition, provider: RehearsalProvider, joined_on: date) -> RatesSelected | None:
    """Selects or names the provider's rates; None where the framework sets them."""
    if not definition.prices.are_set_by_providers:
        return None
    lines = [
        line
        for each in definition.service_types
        for line in definition.find_price_lines(each.service_type, provider.area)
    ]
    own = definition.prices.rates_set_by is RatesSetBy.PROVIDER
    rates = tuple(_choose_rate(line, provider.rate_position, own=own) for line in lines)
    selection = Selection(valid_from=joined_on, matrix_version=definition.version, rates=rates)
    return RatesSelected(
        provider_id=provider.provider_id, framework=definition.framework, area=provider.area, selections=(selection,)
    )


def _choose_rate(line: MatrixLine, position: float, *, own: bool) -> SelectedRate:
    if own:
        highest = line.highest or line.rate
        rate = (line.rate + (highest - line.rate) * Decimal(str(round(position, 2)))).quantize(Decimal("0.01"))
        number = None
    else:
        rates = (line.rate, *line.further_rates)
        number = 1 + round(position * (len(rates) - 1))
        rate = rates[number - 1]
    return SelectedRate(service_type=line.service_type, item=line.item_key, unit=line.unit, number=number, rate=rate)
