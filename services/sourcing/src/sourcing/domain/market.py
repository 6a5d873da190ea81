"""The market of one search: definition, ranked lists and providers' facts. A missing entry is not an empty one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from contracts.events.base import ProjectionVersion
from contracts.events.frameworks import RankedListPublished, make_ranked_list_key
from contracts.events.packages import Candidate
from contracts.events.providers import EligibilityChanged, Membership
from contracts.events.rates import RatesSelected, make_rates_key
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from contracts.terms import compute_terms
from contracts.values import Care, Channel, PassOverReason, Rating, ServiceType, Terms, Tier, Wishes
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
    """Facts about one provider for one area; eligibility or channels are None until they are published.

    `free_hours` are the declared hours less those placed since; None when never declared, then there is no limit.
    """

    provider_id: ProviderId
    eligibility: EligibilityChanged | None
    channels: tuple[Channel, ...] | None
    embargoed: bool = False
    free_hours: Decimal | None = None
    rates: RatesSelected | None = None
    projection_uses: tuple[ProjectionVersion, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        gaps = ((ELIGIBILITY, self.eligibility), (CHANNELS, self.channels))
        return tuple(f"{projection}/{self.provider_id}" for projection, entry in gaps if entry is None)

    @property
    def rating(self) -> Rating:
        return self.eligibility.rating if self.eligibility is not None else Rating.NOT_RATED

    def is_member_of(self, framework: FrameworkKey, area: AreaCode) -> bool:
        """Return whether the provider is a member in any tier, eligible for offers or not."""
        memberships = self.eligibility.memberships if self.eligibility is not None else ()
        return any((item.framework, item.area) == (framework, area) for item in memberships)

    def is_spot_provider_in(self, area: AreaCode) -> bool:
        return self.eligibility is not None and area in self.eligibility.spot_areas

    def find_fallback_channel(self, channel: Channel) -> Channel:
        """Find the provider's next channel after `channel`; after the last one it is the telephone."""
        channels = self.channels or ()
        following = channels[channels.index(channel) + 1 :] if channel in channels else ()
        return next(iter(following), Channel.PHONE)

    @property
    def channel(self) -> Channel:
        """The channel of the provider's offers; without any it is the telephone."""
        return next(iter(self.channels or ()), Channel.PHONE)

    def find_membership(self, framework: FrameworkKey, area: AreaCode, tier: Tier) -> Membership | None:
        memberships = self.eligibility.memberships if self.eligibility else ()
        key = (framework, area, tier)
        return next((item for item in memberships if (item.framework, item.area, item.tier) == key), None)


@dataclass(frozen=True)
class MarketSnapshot:
    """A consistent snapshot of the projections for one search.

    `definition` is the search's pinned version once it has started, else the one in force. `ranked_lists` has, by
    tier, the list that was live when the search started (or is live now); a tier that is not in it is missing.
    """

    definition: FrameworkDefinition | None = None
    ranked_lists: Mapping[Tier, RankedListPublished] = field(default_factory=dict[Tier, RankedListPublished])
    facts: Mapping[ProviderId, ProviderFacts] = field(default_factory=dict[ProviderId, ProviderFacts])

    @property
    def calendar(self) -> BrokerageCalendar | None:
        return BrokerageCalendar(self.definition.brokerage) if self.definition else None

    def get_facts(self, provider_id: ProviderId) -> ProviderFacts:
        """Return a provider's facts; all are missing for an unknown provider."""
        return self.facts.get(provider_id) or ProviderFacts(provider_id, eligibility=None, channels=None)

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
        gaps = (
            () if definition.has_area(care.area) else (f"{key}/area/{care.area}",),
            ()
            if definition.prices.find_matrix_line(care.service_type)
            else (f"{key}/price/{_make_slug(care.service_type)}",),
        )
        return tuple(gap for found in gaps for gap in found)

    def find_missing_list(self, care: Care, tier: Tier) -> tuple[str, ...]:
        return (
            ()
            if tier in self.ranked_lists
            else (f"{RANKED_LISTS}/{make_ranked_list_key(care.framework, care.area, tier)}",)
        )

    def find_missing_facts(self, care: Care, candidates: Iterable[Candidate]) -> tuple[str, ...]:
        """Find missing facts; rates count only where providers select theirs, else rate 1 applies to all."""
        candidate_facts = [self.get_facts(candidate.provider_id) for candidate in candidates]
        return tuple(
            gap for facts in candidate_facts for gap in (*facts.missing, *self._find_missing_rates(care, facts))
        )

    def _find_missing_rates(self, care: Care, facts: ProviderFacts) -> tuple[str, ...]:
        selects = self.definition is not None and self.definition.prices.selected_by_providers
        if not selects or facts.rates is not None:
            return ()
        return (f"{RATES}/{make_rates_key(facts.provider_id, care.framework, care.area)}",)

    def compute_terms(self, facts: ProviderFacts, care: Care, *, on: date) -> Terms | None:
        """Compute the price of `care` with this provider's selected rates; None where it has no rate on that day."""
        if self.definition is None:
            return None
        return compute_terms(
            care, self.definition.prices, facts.rates.find_selection_on(on) if facts.rates is not None else None
        )


def find_pass_over_reasons(
    facts: ProviderFacts, *, care: Care, wishes: Wishes, tier: Tier, at_award: bool
) -> tuple[PassOverReason, ...]:
    """Find all reasons to pass the provider over for this package, in the order of PassOverReason.

    At the award, capacity and service type do not count: the provider knows best what it can take on.
    """
    reasons = {*_find_membership_reasons(facts, care, tier), *_find_barring_reasons(facts, wishes)}
    if not at_award:
        reasons |= {*_find_capacity_reasons(facts, care)}
    return tuple(reason for reason in PassOverReason if reason in reasons)


def _make_slug(service_type: ServiceType) -> str:
    """Convert a service type to its key, for example `carers-support`."""
    return service_type.name.lower().replace("_", "-")


def _find_membership_reasons(facts: ProviderFacts, care: Care, tier: Tier) -> tuple[PassOverReason, ...]:
    membership = facts.find_membership(care.framework, care.area, tier)
    if membership is None:
        return (PassOverReason.NOT_A_MEMBER,)
    if membership.eligible:
        return ()
    return membership.reasons or (PassOverReason.NOT_ELIGIBLE,)


def _find_barring_reasons(facts: ProviderFacts, wishes: Wishes) -> Iterable[PassOverReason]:
    if facts.embargoed:
        yield PassOverReason.EMBARGOED
    if facts.provider_id in wishes.refused:
        yield PassOverReason.REFUSED_BY_PERSON


def _find_capacity_reasons(facts: ProviderFacts, care: Care) -> Iterable[PassOverReason]:
    if facts.free_hours is not None and facts.free_hours < care.weekly_hours:
        yield PassOverReason.NO_CAPACITY
    if facts.eligibility is None or care.service_type not in facts.eligibility.service_types:
        yield PassOverReason.SERVICE_TYPE_NOT_OFFERED
