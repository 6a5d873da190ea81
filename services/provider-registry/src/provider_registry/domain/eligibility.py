"""Whether a provider may be offered work in its places, and if not, why (Essex, Live at Home 2025, briefing 2).

One eligible branch is enough; contract and rank belong to the provider. That a branch lies in the area or within five
miles of its border is not looked at yet: it needs the branch's whole postcode and the boundaries, and joins with them.
An embargo is no matter of eligibility: it begins and ends for all places at once, by events of its own.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from contracts.events.providers import EligibilityChanged, Membership
from contracts.framework import FrameworkDefinition, TierRules
from contracts.values import PassOverReason, Rating, Tier
from provider_registry.domain.provider import Branch, Definitions, Place, Provider


class Shortfall(StrEnum):
    """What a provider lacks for a place, in words that tell it and the officers where to look."""

    NO_SUCH_PLACE = "the framework's definition has no such area or tier any more"
    NO_BRANCH = "no branch is registered for domiciliary care and active"
    NOT_RATED = "no such branch has a published rating"
    RATING_BELOW_FLOOR = "no such branch has the rating that the tier asks for"
    NO_TURNOVER_EVIDENCE = "no evidence of turnover"
    TURNOVER_TOO_LOW = "turnover is below what the tier asks for"


_AS_REASON: Final = {
    Shortfall.NOT_RATED: PassOverReason.RATING_BELOW_FLOOR,
    Shortfall.RATING_BELOW_FLOOR: PassOverReason.RATING_BELOW_FLOOR,
}


def shortfalls(provider: Provider, place: Place, definition: FrameworkDefinition | None) -> tuple[Shortfall, ...]:
    """Everything that keeps `provider` from being offered work in `place`; nothing, when it is eligible."""
    rules = definition.rules_of(place.tier) if definition is not None and definition.has_area(place.area) else None
    if rules is None:
        return (Shortfall.NO_SUCH_PLACE,)
    return (*_of_branches(provider, rules), *_of_turnover(provider, rules))


def eligibility_of(provider: Provider, definitions: Definitions) -> EligibilityChanged:
    """What the provider may be offered: all its memberships and spot areas, as others are told of them."""
    return EligibilityChanged(
        provider_id=provider.provider_id,
        memberships=tuple(_membership(provider, place, definitions) for place in provider.places),
        service_types=provider.profile.service_types,
        spot_areas=provider.spot_areas,
        rating=provider.best_rating,
    )


def _membership(provider: Provider, place: Place, definitions: Definitions) -> Membership:
    lacking = shortfalls(provider, place, definitions.get(place.framework))
    reasons = {_AS_REASON.get(each, PassOverReason.NOT_ELIGIBLE) for each in lacking}
    return Membership(
        framework=place.framework,
        area=place.area,
        tier=place.tier,
        eligible=not lacking,
        reasons=tuple(reason for reason in PassOverReason if reason in reasons),
    )


def _of_branches(provider: Provider, rules: TierRules) -> Iterator[Shortfall]:
    branches = [branch for branch in provider.branches if branch.may_give_home_care]
    if not branches:
        yield Shortfall.NO_BRANCH
    elif not any(_is_rated_for(branch, rules) for branch in branches):
        rated = any(branch.rating is not Rating.NOT_RATED for branch in branches)
        yield Shortfall.RATING_BELOW_FLOOR if rated else Shortfall.NOT_RATED


def _is_rated_for(branch: Branch, rules: TierRules) -> bool:
    """Not rated is never enough for tier 1, and for tier 2 only where the definition says so (DOMAIN, eligibility)."""
    if branch.rating is Rating.NOT_RATED:
        return rules.accepts_not_rated and rules.tier is not Tier.ONE
    return branch.rating.reaches(rules.minimum_rating)


def _of_turnover(provider: Provider, rules: TierRules) -> Iterator[Shortfall]:
    if rules.minimum_turnover is None:
        return
    if provider.profile.turnover is None:
        yield Shortfall.NO_TURNOVER_EVIDENCE
    elif provider.profile.turnover < rules.minimum_turnover:
        yield Shortfall.TURNOVER_TOO_LOW
