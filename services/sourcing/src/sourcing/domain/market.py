"""What the views say for one search: the definition, the ranked lists, each provider's facts; missing is not empty."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final

from contracts.events.base import ViewUse
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
class AwaitedEntry:
    """One entry of one view: what must move before a held search is worth another look."""

    projection: str
    key: str


def parse_missing(missing: str) -> AwaitedEntry:
    """The entry that a missing thing waits for; a gap in a definition waits for the definition's next version."""
    view, _, key = missing.partition("/")
    return AwaitedEntry(view, key.partition("/")[0] if view == DEFINITIONS else key)


@dataclass(frozen=True)
class ProviderFacts:
    """What is known of one provider for one area; None for eligibility or channels: not published to us yet.

    `free_hours` are the declared ones less what was placed since; None: never declared, so no limit is known.
    """

    provider_id: ProviderId
    eligibility: EligibilityChanged | None
    channels: tuple[Channel, ...] | None
    embargoed: bool = False
    free_hours: Decimal | None = None
    rates: RatesSelected | None = None
    projection_uses: tuple[ViewUse, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        gaps = ((ELIGIBILITY, self.eligibility), (CHANNELS, self.channels))
        return tuple(f"{view}/{self.provider_id}" for view, known in gaps if known is None)

    @property
    def rating(self) -> Rating:
        return self.eligibility.rating if self.eligibility is not None else Rating.NOT_RATED

    def is_member_of(self, framework: FrameworkKey, area: AreaCode) -> bool:
        """In any tier, whether it may be offered packages there now or not."""
        memberships = self.eligibility.memberships if self.eligibility is not None else ()
        return any((each.framework, each.area) == (framework, area) for each in memberships)

    def is_spot_provider_in(self, area: AreaCode) -> bool:
        return self.eligibility is not None and area in self.eligibility.spot_areas

    def find_fallback_channel(self, channel: Channel) -> Channel:
        """The fallback of `channel`: the provider's next one; after the last one an officer telephones."""
        known = self.channels or ()
        following = known[known.index(channel) + 1 :] if channel in known else ()
        return next(iter(following), Channel.PHONE)

    @property
    def channel(self) -> Channel:
        """How the provider is told first; without any channel an officer telephones."""
        return next(iter(self.channels or ()), Channel.PHONE)

    def find_membership(self, framework: FrameworkKey, area: AreaCode, tier: Tier) -> Membership | None:
        memberships = self.eligibility.memberships if self.eligibility else ()
        wanted = (framework, area, tier)
        return next((known for known in memberships if (known.framework, known.area, known.tier) == wanted), None)


@dataclass(frozen=True)
class MarketSnapshot:
    """One consistent reading of the views, for one search.

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
        """What is known of a provider; of one never heard of, everything is missing."""
        return self.facts.get(provider_id) or ProviderFacts(provider_id, eligibility=None, channels=None)

    def find_missing_definition(self, care: Care, version: int | None) -> tuple[str, ...]:
        """What stands against using the definition for `care`: absent, another `version` than the pinned one, a gap.

        A gap is named behind the key of the definition: `definitions/<framework>/area/<code>`.
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
        """Rates are missing only where providers select theirs: else rate 1 counts for all."""
        known = [self.get_facts(candidate.provider_id) for candidate in candidates]
        return tuple(gap for facts in known for gap in (*facts.missing, *self._find_missing_rates(care, facts)))

    def _find_missing_rates(self, care: Care, facts: ProviderFacts) -> tuple[str, ...]:
        selects = self.definition is not None and self.definition.prices.selected_by_providers
        if not selects or facts.rates is not None:
            return ()
        return (f"{RATES}/{make_rates_key(facts.provider_id, care.framework, care.area)}",)

    def compute_terms(self, facts: ProviderFacts, care: Care, *, on: date) -> Terms | None:
        """What `care` costs with this provider by what it has selected; None where it has no rate for it that day."""
        if self.definition is None:
            return None
        return compute_terms(
            care, self.definition.prices, facts.rates.find_selection_on(on) if facts.rates is not None else None
        )


def find_pass_over_reasons(
    facts: ProviderFacts, *, care: Care, wishes: Wishes, tier: Tier, at_award: bool
) -> tuple[PassOverReason, ...]:
    """All reasons that hold against this provider for this package, in the order of the list of reasons.

    At the award capacity and service type no longer count: the provider knows best what it can take on.
    """
    reasons = {*_find_membership_reasons(facts, care, tier), *_find_barring_reasons(facts, wishes)}
    if not at_award:
        reasons |= {*_find_capacity_reasons(facts, care)}
    return tuple(reason for reason in PassOverReason if reason in reasons)


def _make_slug(service_type: ServiceType) -> str:
    """`carers-support`"""
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
