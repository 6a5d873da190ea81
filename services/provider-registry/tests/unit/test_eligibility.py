"""Eligibility of a provider for a place, and its shortfalls."""

from decimal import Decimal

import pytest

from contracts.events.providers import Membership
from contracts.examples import ESSEX
from contracts.framework import FrameworkDefinition
from contracts.ids import AreaCode
from contracts.values import PassOverReason, Rating, Tier
from provider_registry.domain.eligibility import Shortfall, assess_eligibility, find_shortfalls
from provider_registry.domain.provider import Branch, BranchStatus, FrameworkPlace
from testkit.provider_registry.builders import TENDRING, a_branch, a_framework, a_place, a_provider

ONE, TWO = a_place(tier=Tier.ONE), a_place(tier=Tier.TWO)


@pytest.mark.parametrize(
    ("rating", "tier_one", "tier_two"),
    [
        (Rating.OUTSTANDING, (), ()),
        (Rating.GOOD, (), ()),
        (Rating.REQUIRES_IMPROVEMENT, (Shortfall.RATING_BELOW_FLOOR,), ()),
        (Rating.INADEQUATE, (Shortfall.RATING_BELOW_FLOOR,), (Shortfall.RATING_BELOW_FLOOR,)),
        (Rating.NOT_RATED, (Shortfall.NOT_RATED,), (Shortfall.NOT_RATED,)),
    ],
)
def test_essex_requires_good_for_tier_one_and_requires_improvement_for_tier_two(
    rating: Rating, tier_one: tuple[Shortfall, ...], tier_two: tuple[Shortfall, ...]
) -> None:
    provider = a_provider(branches=[a_branch(rating=rating)])
    assert find_shortfalls(provider, ONE, a_framework()) == tier_one
    assert find_shortfalls(provider, TWO, a_framework()) == tier_two


def test_a_policy_may_let_a_branch_that_is_not_rated_into_tier_two_but_never_into_tier_one() -> None:
    definition = a_framework(unrated_in=[Tier.ONE, Tier.TWO])
    provider = a_provider(branches=[a_branch(rating=Rating.NOT_RATED)])
    assert find_shortfalls(provider, TWO, definition) == ()
    assert find_shortfalls(provider, ONE, definition) == (Shortfall.NOT_RATED,)


@pytest.mark.parametrize(
    ("turnover", "lacking"),
    [
        (Decimal("290000.00"), ()),
        (Decimal("289999.99"), (Shortfall.TURNOVER_TOO_LOW,)),
        (None, (Shortfall.NO_TURNOVER_EVIDENCE,)),
    ],
)
def test_tier_one_requires_turnover_and_the_exact_minimum_is_enough(
    turnover: Decimal | None, lacking: tuple[Shortfall, ...]
) -> None:
    provider = a_provider(turnover=turnover)
    assert find_shortfalls(provider, ONE, a_framework()) == lacking
    assert find_shortfalls(provider, TWO, a_framework()) == ()


@pytest.mark.parametrize(
    "branch",
    [
        a_branch(domiciliary_care=False),
        a_branch(status=BranchStatus.DORMANT),
        a_branch(status=BranchStatus.DEREGISTERED),
    ],
)
def test_a_branch_that_may_not_work_does_not_count_however_good_its_old_rating(branch: Branch) -> None:
    assert find_shortfalls(a_provider(branches=[branch]), ONE, a_framework()) == (Shortfall.NO_BRANCH,)


def test_a_provider_without_a_branch_is_not_eligible() -> None:
    assert find_shortfalls(a_provider(branches=[]), TWO, a_framework()) == (Shortfall.NO_BRANCH,)


def test_one_eligible_branch_is_enough() -> None:
    branches = [
        a_branch("Alder Clacton", rating=Rating.INADEQUATE),
        a_branch("Alder Harwich", rating=Rating.OUTSTANDING, status=BranchStatus.DEREGISTERED),
        a_branch("Alder Colchester", rating=Rating.GOOD),
    ]
    assert find_shortfalls(a_provider(branches=branches), ONE, a_framework()) == ()


def test_the_good_branch_must_itself_be_the_one_that_may_work() -> None:
    branches = [
        a_branch("Alder Clacton", rating=Rating.GOOD, domiciliary_care=False),
        a_branch("Alder Colchester", rating=Rating.REQUIRES_IMPROVEMENT),
    ]
    assert find_shortfalls(a_provider(branches=branches), ONE, a_framework()) == (Shortfall.RATING_BELOW_FLOOR,)


def test_every_shortfall_is_named_at_once() -> None:
    provider = a_provider(branches=[], turnover=None)
    assert find_shortfalls(provider, ONE, a_framework()) == (Shortfall.NO_BRANCH, Shortfall.NO_TURNOVER_EVIDENCE)


@pytest.mark.parametrize("definition", [None, a_framework()])
def test_a_place_removed_from_the_definition_is_not_eligible(
    definition: FrameworkDefinition | None,
) -> None:
    place = a_place(AreaCode("E07000001"))
    assert find_shortfalls(a_provider(), place, definition) == (Shortfall.NO_SUCH_PLACE,)


def test_eligibility_names_every_place_with_its_reasons() -> None:
    provider = a_provider(branches=[a_branch(rating=Rating.REQUIRES_IMPROVEMENT)], turnover=None, places=[ONE, TWO])
    event = assess_eligibility(provider, {ESSEX: a_framework()})
    assert event.memberships == (
        _make_membership(ONE, PassOverReason.RATING_BELOW_FLOOR, PassOverReason.NOT_ELIGIBLE),
        _make_membership(TWO),
    )
    assert event.service_types == provider.profile.service_types


def test_a_provider_below_its_floor_in_tier_one_does_not_move_to_tier_two() -> None:
    provider = a_provider(branches=[a_branch(rating=Rating.REQUIRES_IMPROVEMENT)], places=[ONE])
    event = assess_eligibility(provider, {ESSEX: a_framework()})
    assert [(each.tier, each.eligible) for each in event.memberships] == [(Tier.ONE, False)]


@pytest.mark.parametrize(
    ("branches", "best"),
    [
        ([], Rating.NOT_RATED),
        ([a_branch("one", rating=Rating.NOT_RATED), a_branch("two", rating=Rating.INADEQUATE)], Rating.INADEQUATE),
        ([a_branch("one", rating=Rating.GOOD), a_branch("two", rating=Rating.OUTSTANDING)], Rating.OUTSTANDING),
        ([a_branch(rating=Rating.OUTSTANDING, status=BranchStatus.DORMANT)], Rating.NOT_RATED),
        ([a_branch(rating=Rating.OUTSTANDING, domiciliary_care=False)], Rating.NOT_RATED),
    ],
)
def test_a_provider_is_rated_as_the_best_of_its_branches_that_may_give_home_care(
    branches: list[Branch], best: Rating
) -> None:
    assert assess_eligibility(a_provider(branches=branches), {}).rating is best


def test_a_spot_provider_is_published_with_areas_and_no_membership() -> None:
    event = assess_eligibility(a_provider(spot_areas=[TENDRING]), {})
    assert (event.spot_areas, event.memberships) == ((TENDRING,), ())


def _make_membership(place: FrameworkPlace, *reasons: PassOverReason) -> Membership:
    return Membership(
        framework=place.framework, area=place.area, tier=place.tier, eligible=not reasons, reasons=reasons
    )
