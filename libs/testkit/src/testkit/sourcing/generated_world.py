"""Everything published about one generated framework, with its instants; each decision reads its market from it.

The market is read as `sourcing.store.markets` reads it from the projections, and the record of it is what a replay has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from contracts.events.base import ProjectionVersion, ProviderEvent
from contracts.events.frameworks import RankedListPublished
from contracts.events.providers import (
    CapacityDeclared,
    ChannelsChanged,
    EligibilityChanged,
    EmbargoLifted,
    ProviderEmbargoed,
)
from contracts.events.rates import RatesSelected, make_rates_key
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, PackageId, ProviderId
from contracts.values import Care
from sourcing.domain.market import MarketSnapshot, PlaceHolder, ProviderFacts
from sourcing.domain.market_selection import (
    asks_holders,
    find_definition,
    find_named_provider,
    find_ranked_lists,
    list_areas,
    list_providers,
)
from sourcing.domain.recorded_facts import RecordedFact
from sourcing.domain.recorded_market import RecordedDefinition, RecordedList, RecordedMarket, RecordedPlacement
from sourcing.domain.search import Search
from sourcing.domain.triggers import ChangeVersion, Outage, Trigger

FactT = TypeVar("FactT", bound=ProviderEvent)


@dataclass
class World:
    """What is published so far, in the order of publication."""

    published_definitions: list[RecordedDefinition] = field(default_factory=list[RecordedDefinition])
    published_lists: list[RecordedList] = field(default_factory=list[RecordedList])
    facts: dict[ProviderId, list[RecordedFact]] = field(default_factory=dict[ProviderId, list[RecordedFact]])
    placements: list[RecordedPlacement] = field(default_factory=list[RecordedPlacement])
    outages: list[Outage] = field(default_factory=list[Outage])
    _placed: dict[PackageId, int] = field(default_factory=dict[PackageId, int])

    @property
    def definitions(self) -> Sequence[FrameworkDefinition]:
        return [each.definition for each in self.published_definitions]

    @property
    def lists(self) -> Sequence[RankedListPublished]:
        return [each.ranked_list for each in self.published_lists]

    def publish_definition(self, definition: FrameworkDefinition, at: datetime) -> None:
        self.published_definitions.append(RecordedDefinition(definition, at))

    def publish_list(self, ranked: RankedListPublished, at: datetime) -> None:
        self.published_lists.append(RecordedList(ranked, at))

    def publish_fact(self, event: ProviderEvent, at: datetime) -> None:
        of_provider = self.facts.setdefault(event.provider_id, [])
        of_provider.append(RecordedFact(event, len(of_provider) + 1, at))

    def record_placement(self, event: PackagePlaced | PlacementVoided, at: datetime) -> None:
        if isinstance(event, PackagePlaced):
            self._placed[event.package_id] = len(self.placements)
            self.placements.append(
                RecordedPlacement(
                    provider_id=event.provider_id,
                    framework=event.framework,
                    lot=event.lot,
                    area=event.area,
                    weekly_hours=event.weekly_hours,
                    at=at,
                )
            )
            return
        number = self._placed[event.package_id]
        self.placements[number] = replace(self.placements[number], voided_at=at)

    def record(self, care: Care) -> RecordedMarket:
        """Returns what is on record for a package, as audit gives it: the lists are those of its lot and area."""
        wanted = (care.lot, care.area)
        lists = [each for each in self.published_lists if (each.ranked_list.lot, each.ranked_list.area) == wanted]
        return RecordedMarket(self.published_definitions, lists, self.facts, self.placements)

    def find_fact(
        self, provider: ProviderId, kind: type[FactT], *, area: AreaCode | None = None, at: datetime | None = None
    ) -> FactT | None:
        """Returns the provider's newest event of this kind, or the newest one at an instant."""
        found = [
            each.event
            for each in self.facts.get(provider, ())
            if isinstance(each.event, kind)
            and area in {None, getattr(each.event, "area", None)}
            and (at is None or each.at <= at)
        ]
        return found[-1] if found else None

    def is_embargoed(self, provider: ProviderId, *, at: datetime | None = None) -> bool:
        begun, lifted = (
            [
                each.sequence
                for each in self.facts.get(provider, ())
                if isinstance(each.event, kind) and (at is None or each.at <= at)
            ]
            for kind in (ProviderEmbargoed, EmbargoLifted)
        )
        return max(begun, default=0) > max(lifted, default=0)

    def compute_free_hours(self, provider: ProviderId, area: AreaCode, *, at: datetime | None = None) -> Decimal | None:
        """Returns the declared hours less those placed since; None where none were declared."""
        declared = self.find_fact(provider, CapacityDeclared, area=area, at=at)
        if declared is None:
            return None
        placed = (
            each.weekly_hours
            for each in self.placements
            if (each.provider_id, each.area) == (provider, area)
            and each.at >= declared.declared_at
            and (each.voided_at is None if at is None else each.stands_at(at, or_begins=False))
        )
        return declared.free_hours - sum(placed, Decimal(0))

    def read(self, search: Search | None, care: Care, trigger: Trigger, at: datetime) -> MarketSnapshot:
        """Returns the market of a decision, as the projections have it at this instant."""
        market = self._read_market(search, care, trigger, at)
        target = trigger.version if isinstance(trigger, ChangeVersion) else None
        return replace(market, target=next((each for each in self.definitions if each.version == target), None))

    def _read_market(self, search: Search | None, care: Care, trigger: Trigger, at: datetime) -> MarketSnapshot:
        version = None if search is None else search.definition_version
        definition = find_definition(self.definitions, version, at if search is None else search.requested_at)
        if definition is None:
            return MarketSnapshot()
        areas = list_areas(definition, care)
        if search is not None and search.live_offers:
            asked = {offer.provider_id for offer in search.live_offers}
            return MarketSnapshot(definition, facts={each: self._build_facts(each, care, areas) for each in asked})
        timezone = ZoneInfo(definition.brokerage.timezone)
        started = search.started_at if search is not None and search.started_at is not None else at
        lists = find_ranked_lists(
            self._list_lists(definition, care),
            started_on=started.astimezone(timezone).date(),
            on=at.astimezone(timezone).date(),
        )
        holders = tuple(self._list_holders(care, areas)) if asks_holders(definition) else ()
        providers = list_providers(search, lists, holders)
        named = find_named_provider(trigger)
        facts = {
            each: self._read_facts(each, care, areas) for each in (*providers, *(() if named is None else (named,)))
        }
        return MarketSnapshot(definition, lists, facts, holders, self._find_last_awards(care))

    def _list_lists(self, definition: FrameworkDefinition, care: Care) -> Sequence[RankedListPublished]:
        group = definition.find_list_group(care)
        wanted = (care.lot, care.area, group)
        return [each for each in self.lists if (each.lot, each.area, each.group) == wanted]

    def _list_holders(self, care: Care, areas: Sequence[AreaCode]) -> Iterator[PlaceHolder]:
        for area in areas:
            for provider in sorted(self.facts, key=str):
                eligibility = self.find_fact(provider, EligibilityChanged)
                for place in eligibility.places if eligibility is not None else ():
                    if (place.framework, place.lot, place.area) == (care.framework, care.lot, area):
                        yield PlaceHolder(provider, place)

    def _find_last_awards(self, care: Care) -> dict[ProviderId, datetime]:
        found = dict[ProviderId, datetime]()
        for each in self.placements:
            if each.voided_at is None and (each.lot, each.area) == (care.lot, care.area):
                found[each.provider_id] = max(each.at, found.get(each.provider_id, each.at))
        return found

    def _read_facts(self, provider: ProviderId, care: Care, areas: Sequence[AreaCode]) -> ProviderFacts:
        free_hours = self.compute_free_hours(provider, care.area)
        return replace(self._build_facts(provider, care, areas), free_hours=free_hours)

    def _build_facts(self, provider: ProviderId, care: Care, areas: Sequence[AreaCode]) -> ProviderFacts:
        channels = self.find_fact(provider, ChannelsChanged)
        rates = {area: self.find_fact(provider, RatesSelected, area=area) for area in areas}
        return ProviderFacts(
            provider_id=provider,
            eligibility=self.find_fact(provider, EligibilityChanged),
            channels=None if channels is None else channels.channels,
            embargoed=self.is_embargoed(provider),
            rates={area: each for area, each in rates.items() if each is not None},
            projection_uses=tuple(self._list_uses(provider, care, areas)),
        )

    def _list_uses(self, provider: ProviderId, care: Care, areas: Sequence[AreaCode]) -> Iterator[ProjectionVersion]:
        """Yields the newest version of each of the provider's rows."""
        rows = {_find_row(each.event): each.sequence for each in self.facts.get(provider, ())}
        own = str(provider)
        keys = [
            ("eligibility", own),
            ("channels", own),
            ("embargoes", own),
            ("capacity", f"{own}/{care.area}"),
            *(("rates", make_rates_key(provider, care.framework, area)) for area in areas),
        ]
        for view, key in keys:
            if (view, key) in rows:
                yield ProjectionVersion(view=view, key=key, sequence=rows[view, key])


def _find_row(event: ProviderEvent) -> tuple[str, str] | None:
    """Returns view and key of the row that the event writes."""
    own = str(event.provider_id)
    match event:
        case EligibilityChanged():
            return "eligibility", own
        case ChannelsChanged():
            return "channels", own
        case ProviderEmbargoed() | EmbargoLifted():
            return "embargoes", own
        case CapacityDeclared(area=area):
            return "capacity", f"{own}/{area}"
        case RatesSelected(area=area):
            return "rates", make_rates_key(event.provider_id, event.framework, area)
        case _:
            return None
