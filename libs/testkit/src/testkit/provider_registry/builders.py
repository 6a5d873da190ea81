"""Builders of provider-registry's values for tests. All names are invented."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from contracts.events.providers import KeyQuestionRating
from contracts.example_words import LOT, Tiers
from contracts.examples import COLCHESTER, COUNCIL, FRAMEWORK, a_definition, an_id
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.tiers import EntryRule, OverallRatingRule, Tier, TurnoverRule
from contracts.framework.words import Area
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, LotKey, ProviderId, TierKey
from contracts.offer_links import OfferLinkSigner
from contracts.values import PlaceState, Rating
from provider_registry.domain.messages import BaseUrls
from provider_registry.domain.places import FrameworkPlace, ProviderPlace, StateChange
from provider_registry.domain.provider import Branch, BranchStatus, Profile, Provider
from provider_registry.domain.ratings import NO_RATINGS, RatingHistory, RatingRecord
from provider_registry.domain.skills import SkillEvidence
from provider_registry.ports import DeliveryTerms, MailTerms
from testkit.clocks import MONDAY_NINE

TENDRING: Final = AreaCode("E07000076")
OTHER_COUNCIL: Final = CouncilKey("bramshire")
FRAMEWORK_START: Final = date(2025, 11, 9)
"""The first day of the framework of the examples, which is closed."""
A_PHONE: Final = "01632 960001"
"""A number from the range that Ofcom reserves for drama."""
TERMS: Final = DeliveryTerms(
    addresses=BaseUrls(sourcing="https://sourcing.example", referral="https://referral.example"),
    notification_delivery_timeout=timedelta(hours=24),
    mail=MailTerms(OfferLinkSigner("a key that only tests have, of some length"), timedelta(days=7)),
)


def to_provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name always gives the same id."""
    return ProviderId(an_id(name))


def a_place(
    area: AreaCode = COLCHESTER,
    tier: TierKey = Tiers.ONE,
    framework: FrameworkKey = FRAMEWORK,
    lot: LotKey = LOT,
) -> FrameworkPlace:
    return FrameworkPlace(framework, lot, area, tier)


def a_held_place(
    place: FrameworkPlace | None = None,
    *,
    joined_on: date = FRAMEWORK_START,
    state: PlaceState = PlaceState.ACTIVE,
    at: datetime = MONDAY_NINE,
    **changed: object,
) -> ProviderPlace:
    """A provider's place, by default active since the framework's start; `changed` sets further fields."""
    fields: dict[str, object] = {
        "place": place or a_place(),
        "joined_on": joined_on,
        "changes": (StateChange(state, at),),
        **changed,
    }
    return ProviderPlace(**fields)  # pyright: ignore[reportArgumentType]  a test names the fields


def a_tier(tier: TierKey, *entry: EntryRule, cap: int | None = None) -> Tier:
    return Tier(tier=tier, title=tier.replace("-", " ").capitalize(), providers_per_area=cap, entry=entry)


def a_framework(
    *,
    version: int = 1,
    framework: FrameworkKey = FRAMEWORK,
    council: CouncilKey = COUNCIL,
    cap: int | None = 10,
    tier_one: Rating = Rating.GOOD,
    turnover: Decimal | None = Decimal("290000.00"),
    unrated_in: Collection[TierKey] = (),
    **changed: object,
) -> FrameworkDefinition:
    """A framework with two districts and two tiers.

    `cap`, `tier_one` and `turnover` are tier 1's limit of providers, minimum rating and minimum turnover. Tiers in
    `unrated_in` accept providers without a rating. `changed` replaces sections.
    """
    rules: tuple[EntryRule, ...] = (a_rating_rule(tier_one, accepts_not_rated=Tiers.ONE in unrated_in),)
    if turnover is not None:
        rules = (*rules, TurnoverRule(rule="turnover", at_least=turnover))
    second = a_rating_rule(Rating.REQUIRES_IMPROVEMENT, accepts_not_rated=Tiers.TWO in unrated_in)
    usual: dict[str, object] = {
        "framework": framework,
        "version": version,
        "council": council,
        "areas": (Area(code=COLCHESTER, name="Colchester"), Area(code=TENDRING, name="Tendring")),
        "tiers": (a_tier(Tiers.ONE, *rules, cap=cap), a_tier(Tiers.TWO, second)),
    }
    return a_definition(**{**usual, **changed})


def a_rating_rule(at_least: Rating, *, accepts_not_rated: bool = False) -> OverallRatingRule:
    return OverallRatingRule(rule="overall-rating", at_least=at_least, accepts_not_rated=accepts_not_rated)


def a_rating_record(
    rating: Rating = Rating.GOOD,
    published_on: date = date(2026, 1, 5),
    *,
    key_questions: Sequence[KeyQuestionRating] = (),
    corrects: date | None = None,
) -> RatingRecord:
    return RatingRecord(published_on, rating, tuple(key_questions), MONDAY_NINE, corrects)


def a_branch(
    name: str = "Alder Colchester",
    *,
    rating: Rating = Rating.GOOD,
    domiciliary_care: bool = True,
    status: BranchStatus = BranchStatus.ACTIVE,
    published_on: date = date(2026, 1, 5),
    records: Sequence[RatingRecord] | None = None,
) -> Branch:
    """An active home-care branch, by default rated Good; `records` replaces its ratings."""
    if records is None:
        records = () if rating is Rating.NOT_RATED else (a_rating_record(rating, published_on),)
    return Branch(
        branch_id=BranchId(an_id(name)),
        name=name,
        outward_code="CO1",
        domiciliary_care=domiciliary_care,
        status=status,
        ratings=RatingHistory(tuple(records)) if records else NO_RATINGS,
    )


def a_profile(name: str = "Alder Care Ltd", *, turnover: Decimal | None = Decimal("400000.00")) -> Profile:
    return Profile(name, turnover, None if turnover is None else "filed accounts 2023/24", A_PHONE)


def a_provider(
    name: str = "Alder",
    *,
    branches: Sequence[Branch] | None = None,
    places: Sequence[FrameworkPlace | ProviderPlace] = (),
    skills: Sequence[SkillEvidence] = (),
    spot_areas: Sequence[AreaCode] = (),
    turnover: Decimal | None = Decimal("400000.00"),
    council: CouncilKey = COUNCIL,
) -> Provider:
    """A provider that meets tier 1's requirements: one branch rated Good and sufficient turnover."""
    return Provider(
        provider_id=to_provider_id(name),
        council=council,
        profile=a_profile(f"{name} Care Ltd", turnover=turnover),
        registered_at=MONDAY_NINE,
        branches=(a_branch(f"{name} Colchester"),) if branches is None else tuple(branches),
        places=tuple(each if isinstance(each, ProviderPlace) else a_held_place(each) for each in places),
        skills=tuple(skills),
        spot_areas=tuple(spot_areas),
    )
