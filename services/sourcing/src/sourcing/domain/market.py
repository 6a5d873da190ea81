"""The market of one search: definition, ranked lists, places and providers' facts. Missing is not empty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.providers import EligibilityChanged, Place
from contracts.events.rates import RatesSelected, make_rates_key
from contracts.events.searches import StageCandidate
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, LotKey, ProviderId, TierKey
from contracts.terms import compute_terms
from contracts.values import Care, Channel, Rating, Terms
from sourcing.domain.calendar import BrokerageCalendar

DEFINITIONS: Final = "definitions"
RANKED_LISTS: Final = "ranked-lists"
ELIGIBILITY: Final = "eligibility"
CHANNELS: Final = "channels"
RATES: Final = "rates"


@dataclass(frozen=True)
class MissingEntry:
    """An entry of a projection that a held search waits for."""

    projection: str
    key: str


def parse_missing(missing: str) -> MissingEntry:
    """Parse a missing key into the entry to wait for; a gap in a definition waits for the definition's next version."""
    projection, _, key = missing.partition("/")
    return MissingEntry(projection, key.partition("/")[0] if projection == DEFINITIONS else key)


@dataclass(frozen=True)
class ProviderFacts:
    """Facts about one provider for one package; eligibility or channels are None until they are published.

    `free_hours` are the declared hours less those placed since; None when never declared, then there is no limit.
    `rates` are by the area of the place for which they were selected.
    """

    provider_id: ProviderId
    eligibility: EligibilityChanged | None
    channels: tuple[Channel, ...] | None
    embargoed: bool = False
    free_hours: Decimal | None = None
    rates: Mapping[AreaCode, RatesSelected] = field(default_factory=dict[AreaCode, RatesSelected])
    projection_uses: tuple[ProjectionVersion, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        gaps = ((ELIGIBILITY, self.eligibility), (CHANNELS, self.channels))
        return tuple(f"{projection}/{self.provider_id}" for projection, entry in gaps if entry is None)

    @property
    def rating(self) -> Rating:
        return self.eligibility.rating if self.eligibility is not None else Rating.NOT_RATED

    @property
    def places(self) -> tuple[Place, ...]:
        return self.eligibility.places if self.eligibility is not None else ()

    def is_member_of(self, framework: FrameworkKey, lot: LotKey, area: AreaCode) -> bool:
        """Return whether the provider has a place in any tier, eligible for offers or not."""
        return any((place.framework, place.lot, place.area) == (framework, lot, area) for place in self.places)

    def is_member_of_framework(self, framework: FrameworkKey) -> bool:
        """Return whether the provider has a place in any lot, area and tier, eligible for offers or not."""
        return any(place.framework == framework for place in self.places)

    @property
    def spot_areas(self) -> tuple[AreaCode, ...]:
        return self.eligibility.spot_areas if self.eligibility is not None else ()

    def is_spot_provider_in(self, area: AreaCode) -> bool:
        return area in self.spot_areas

    def find_fallback_channel(self, channel: Channel) -> Channel:
        """Find the provider's next channel after `channel`; after the last one it is the telephone."""
        channels = self.channels or ()
        following = channels[channels.index(channel) + 1 :] if channel in channels else ()
        return next(iter(following), Channel.PHONE)

    @property
    def channel(self) -> Channel:
        """The channel of the provider's offers; without any it is the telephone."""
        return next(iter(self.channels or ()), Channel.PHONE)

    def find_place(self, framework: FrameworkKey, lot: LotKey, area: AreaCode, tier: TierKey) -> Place | None:
        wanted = (framework, lot, area, tier)
        return next((each for each in self.places if (each.framework, each.lot, each.area, each.tier) == wanted), None)


@dataclass(frozen=True)
class PlaceHolder:
    """A provider with its place."""

    provider_id: ProviderId
    place: Place


@dataclass(frozen=True)
class MarketSnapshot:
    """A consistent snapshot of the projections for one search.

    `definition` is the search's pinned version once it has started, else the one in force. `ranked_lists` has, by
    tier, the list that was live when the search started (or is live now); a tier that is not in it is missing.
    `holders` has all places of the package's lot in its area and the neighbouring ones, and `last_awards` the newest
    placement of each provider in the package's lot and area.
    """

    definition: FrameworkDefinition | None = None
    ranked_lists: Mapping[TierKey, RankedListPublished] = field(default_factory=dict[TierKey, RankedListPublished])
    facts: Mapping[ProviderId, ProviderFacts] = field(default_factory=dict[ProviderId, ProviderFacts])
    holders: Sequence[PlaceHolder] = ()
    last_awards: Mapping[ProviderId, datetime] = field(default_factory=dict[ProviderId, datetime])
    target: FrameworkDefinition | None = None
    """The version to which an officer moves the search, if it is published."""

    @property
    def calendar(self) -> BrokerageCalendar | None:
        return BrokerageCalendar(self.definition.brokerage) if self.definition else None

    def get_facts(self, provider_id: ProviderId) -> ProviderFacts:
        """Return a provider's facts; all are missing for an unknown provider."""
        return self.facts.get(provider_id) or ProviderFacts(provider_id, eligibility=None, channels=None)

    def list_holders(self, tier: TierKey, area: AreaCode) -> Sequence[PlaceHolder]:
        return [each for each in self.holders if (each.place.tier, each.place.area) == (tier, area)]

    def find_missing_definition(self, care: Care, version: int | None) -> tuple[str, ...]:
        """Find why the definition cannot be used for `care`: absent, not the pinned `version`, or it has a gap.

        The name of a gap follows the definition's key: `definitions/<framework>/area/<code>`.
        """
        key = f"{DEFINITIONS}/{care.framework}"
        definition = self.definition
        if definition is None:
            return (key,)
        if version is not None and definition.version != version:
            return (f"{key}/version/{version}",)
        lot, gaps = definition.find_lot(care.lot), list[str]()
        if lot is None:
            gaps.append(f"{key}/lot/{care.lot}")
        if not definition.has_area(care.area) or (lot is not None and not lot.has_area(care.area)):
            gaps.append(f"{key}/area/{care.area}")
        if not definition.find_price_lines(care.service_type, care.area):
            gaps.append(f"{key}/price/{care.service_type}")
        return tuple(gaps)

    def find_missing_lists(self, care: Care, tiers: Iterable[TierKey]) -> tuple[str, ...]:
        """Find the tiers without a ranked list. Raises ValueError while the definition is missing."""
        if self.definition is None:
            message = "the definition is looked up before the lists"
            raise ValueError(message)
        group = self.definition.find_list_group(care)
        keys = {tier: make_ranked_list_key(care.framework, care.lot, care.area, tier, group) for tier in tiers}
        return tuple(f"{RANKED_LISTS}/{key}" for tier, key in keys.items() if tier not in self.ranked_lists)

    def find_missing_places(self, care: Care) -> tuple[str, ...]:
        """Find whether no provider has a place in the package's lot and area: its places are not entered yet."""
        if any(each.place.area == care.area for each in self.holders):
            return ()
        return (f"{ELIGIBILITY}/places/{care.framework}/{care.lot}/{care.area}",)

    def find_missing_facts(self, care: Care, candidates: Iterable[StageCandidate]) -> tuple[str, ...]:
        """Find missing facts; rates count only where providers set theirs, else rate 1 applies to all."""
        return tuple(
            gap
            for candidate in candidates
            for gap in (
                *self.get_facts(candidate.provider_id).missing,
                *self._find_missing_rates(care, candidate.provider_id, candidate.area),
            )
        )

    def _find_missing_rates(self, care: Care, provider_id: ProviderId, area: AreaCode) -> tuple[str, ...]:
        set_by_providers = self.definition is not None and self.definition.prices.are_set_by_providers
        if not set_by_providers or area in self.get_facts(provider_id).rates:
            return ()
        return (f"{RATES}/{make_rates_key(provider_id, care.framework, area)}",)

    def compute_terms(self, facts: ProviderFacts, care: Care, *, area: AreaCode, on: date) -> Terms | None:
        """Compute the price of `care` with this provider's rates of `area`; None where it has no rate on that day."""
        if self.definition is None:
            return None
        rates = facts.rates.get(area)
        selection = rates.find_selection_on(on) if rates is not None else None
        return compute_terms(care, self.definition, selection, area=area)
