"""Builders of provider-registry's values for tests. All names are invented."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from contracts.examples import COLCHESTER, ESSEX, a_definition, an_id
from contracts.framework import Area, FrameworkDefinition, SequentialOffers, TierRules
from contracts.ids import AreaCode, BranchId, CouncilKey, FrameworkKey, ProviderId
from contracts.offer_links import OfferLinkSigner
from contracts.values import Rating, ServiceType, Tier
from provider_registry.domain.messages import BaseUrls
from provider_registry.domain.provider import Branch, BranchStatus, FrameworkPlace, Profile, Provider
from provider_registry.ports import DeliveryTerms, MailTerms
from testkit.clocks import MONDAY_NINE

TENDRING: Final = AreaCode("E07000076")
COUNCIL: Final = CouncilKey("essex")
A_PHONE: Final = "01632 960001"
"""A number from the range that Ofcom reserves for drama."""
TERMS: Final = DeliveryTerms(
    addresses=BaseUrls(sourcing="https://sourcing.example", referral="https://referral.example"),
    offer_delivery_timeout=timedelta(minutes=2),
    notification_delivery_timeout=timedelta(hours=24),
    mail=MailTerms(OfferLinkSigner("a key that only tests have, of some length"), timedelta(days=7)),
)


def to_provider_id(name: str) -> ProviderId:
    """The id of an invented provider; the same name always gives the same id."""
    return ProviderId(an_id(name))


def a_place(area: AreaCode = COLCHESTER, tier: Tier = Tier.ONE, framework: FrameworkKey = ESSEX) -> FrameworkPlace:
    return FrameworkPlace(framework, area, tier)


def a_framework(
    *,
    version: int = 1,
    framework: FrameworkKey = ESSEX,
    council: CouncilKey = COUNCIL,
    cap: int | None = 10,
    tier_one: Rating = Rating.GOOD,
    turnover: Decimal | None = Decimal("290000.00"),
    unrated_in: Collection[Tier] = (),
) -> FrameworkDefinition:
    """A framework with two districts and two tiers, as in Essex.

    `cap`, `tier_one` and `turnover` are tier 1's limit of providers, minimum rating and minimum turnover. Tiers in
    `unrated_in` accept providers without a rating.
    """
    return a_definition(
        framework=framework,
        version=version,
        council=council,
        areas=(Area(code=COLCHESTER, name="Colchester"), Area(code=TENDRING, name="Tendring")),
        tiers=(
            TierRules(
                tier=Tier.ONE,
                providers_per_area=cap,
                minimum_rating=tier_one,
                minimum_turnover=turnover,
                accepts_not_rated=Tier.ONE in unrated_in,
            ),
            TierRules(
                tier=Tier.TWO,
                minimum_rating=Rating.REQUIRES_IMPROVEMENT,
                accepts_not_rated=Tier.TWO in unrated_in,
            ),
        ),
        sourcing=(SequentialOffers(stage="tier-1", procedure="sequential-offers", tier=Tier.ONE),),
    )


def a_branch(
    name: str = "Alder Colchester",
    *,
    rating: Rating = Rating.GOOD,
    domiciliary_care: bool = True,
    status: BranchStatus = BranchStatus.ACTIVE,
    published_on: date | None = date(2026, 1, 5),
) -> Branch:
    """An active home-care branch, by default rated Good."""
    return Branch(
        branch_id=BranchId(an_id(name)),
        name=name,
        outward_code="CO1",
        domiciliary_care=domiciliary_care,
        status=status,
        rating=rating,
        published_on=None if rating is Rating.NOT_RATED else published_on,
    )


def a_profile(
    name: str = "Alder Care Ltd",
    *,
    service_types: Sequence[ServiceType] = (ServiceType.PERSONAL_CARE,),
    turnover: Decimal | None = Decimal("400000.00"),
) -> Profile:
    return Profile(name, tuple(service_types), turnover, A_PHONE)


def a_provider(
    name: str = "Alder",
    *,
    branches: Sequence[Branch] | None = None,
    places: Sequence[FrameworkPlace] = (),
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
        places=tuple(places),
        spot_areas=tuple(spot_areas),
    )
