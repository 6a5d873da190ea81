"""Eligibility of a provider for each of its places (Essex, Live at Home 2025, briefing 2).

One eligible branch is enough; contract and rank belong to the provider. The distance of a branch from the area is not
checked: it needs the branch's full postcode and the boundaries. An embargo is not part of eligibility: it covers all
places at once and has its own events.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from contracts.events.providers import EligibilityChanged, Membership
from contracts.framework import FrameworkDefinition, TierRules
from contracts.values import PassOverReason, Rating, Tier
from provider_registry.domain.provider import Branch, Definitions, FrameworkPlace, Provider


class Shortfall(StrEnum):
    """What a provider lacks for a place; the value is shown to the provider and to officers."""

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


def find_shortfalls(
    provider: Provider, place: FrameworkPlace, definition: FrameworkDefinition | None
) -> tuple[Shortfall, ...]:
    """Returns every reason why `provider` is not eligible for `place`; empty if it is."""
    rules = None
    if definition is not None and definition.has_area(place.area):
        rules = definition.find_tier_rules(place.tier)
    if rules is None:
        return (Shortfall.NO_SUCH_PLACE,)
    return (*_check_branches(provider, rules), *_check_turnover(provider, rules))


def assess_eligibility(provider: Provider, definitions: Definitions) -> EligibilityChanged:
    """Returns the provider's eligibility in all its places, and its spot areas, as an event."""
    return EligibilityChanged(
        provider_id=provider.provider_id,
        memberships=tuple(_assess_membership(provider, place, definitions) for place in provider.places),
        service_types=provider.profile.service_types,
        spot_areas=provider.spot_areas,
        rating=provider.best_rating,
    )


def _assess_membership(provider: Provider, place: FrameworkPlace, definitions: Definitions) -> Membership:
    lacking = find_shortfalls(provider, place, definitions.get(place.framework))
    reasons = {_AS_REASON.get(each, PassOverReason.NOT_ELIGIBLE) for each in lacking}
    return Membership(
        framework=place.framework,
        area=place.area,
        tier=place.tier,
        eligible=not lacking,
        reasons=tuple(reason for reason in PassOverReason if reason in reasons),
    )


def _check_branches(provider: Provider, rules: TierRules) -> Iterator[Shortfall]:
    branches = [branch for branch in provider.branches if branch.may_give_home_care]
    if not branches:
        yield Shortfall.NO_BRANCH
    elif not any(_is_rated_for(branch, rules) for branch in branches):
        rated = any(branch.rating is not Rating.NOT_RATED for branch in branches)
        yield Shortfall.RATING_BELOW_FLOOR if rated else Shortfall.NOT_RATED


def _is_rated_for(branch: Branch, rules: TierRules) -> bool:
    """A branch that is not rated never qualifies for tier 1; for tier 2 only if the definition accepts it."""
    if branch.rating is Rating.NOT_RATED:
        return rules.accepts_not_rated and rules.tier is not Tier.ONE
    return branch.rating.is_at_least(rules.minimum_rating)


def _check_turnover(provider: Provider, rules: TierRules) -> Iterator[Shortfall]:
    if rules.minimum_turnover is None:
        return
    if provider.profile.turnover is None:
        yield Shortfall.NO_TURNOVER_EVIDENCE
    elif provider.profile.turnover < rules.minimum_turnover:
        yield Shortfall.TURNOVER_TOO_LOW
