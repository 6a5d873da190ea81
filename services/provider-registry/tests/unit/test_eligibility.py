"""Eligibility of a provider for its places: one branch meets all rules, and the place is active."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from contracts.events.providers import EligibilityChanged, Place
from contracts.example_words import LOT, Needs, ServiceTypes, Tiers
from contracts.examples import FRAMEWORK
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.tiers import BranchLocationRule, SkillRule
from contracts.ids import AreaCode, NeedKey
from contracts.values import PassOverReason, PlaceState, Rating
from provider_registry.domain.eligibility import PlaceAssessment, assess_eligibility, assess_places
from provider_registry.domain.places import FrameworkPlace
from provider_registry.domain.provider import Branch, BranchStatus, Definitions, LocationFinding, Provider
from provider_registry.domain.skills import SkillEvidence
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.builders import (
    FRAMEWORK_START,
    TENDRING,
    a_branch,
    a_framework,
    a_held_place,
    a_place,
    a_provider,
    a_rating_record,
    a_rating_rule,
    a_tier,
)

ONE, TWO = a_place(tier=Tiers.ONE), a_place(tier=Tiers.TWO)
BELOW_FLOOR, NOT_ELIGIBLE = PassOverReason.RATING_BELOW_FLOOR, PassOverReason.NOT_ELIGIBLE


def assess(
    provider: Provider,
    definition: FrameworkDefinition | None = None,
    *,
    place: FrameworkPlace = ONE,
    at: datetime = MONDAY_NINE,
) -> PlaceAssessment:
    held = replace(provider, places=(a_held_place(place),))
    (found,) = assess_places(held, {FRAMEWORK: definition or a_framework()}, at=at)
    return found


def announce(provider: Provider, definitions: Definitions | None = None) -> EligibilityChanged:
    definitions = {FRAMEWORK: a_framework()} if definitions is None else definitions
    return assess_eligibility(provider, definitions, at=MONDAY_NINE)


@pytest.mark.parametrize(
    ("rating", "tier_one", "tier_two"),
    [
        (Rating.OUTSTANDING, (), ()),
        (Rating.GOOD, (), ()),
        (Rating.REQUIRES_IMPROVEMENT, (BELOW_FLOOR,), ()),
        (Rating.INADEQUATE, (BELOW_FLOOR,), (BELOW_FLOOR,)),
        (Rating.NOT_RATED, (BELOW_FLOOR,), (BELOW_FLOOR,)),
    ],
)
def test_each_tier_has_its_own_floor(
    rating: Rating, tier_one: tuple[PassOverReason, ...], tier_two: tuple[PassOverReason, ...]
) -> None:
    provider = a_provider(branches=[a_branch(rating=rating)])
    assert assess(provider, place=ONE).reasons == tier_one
    assert assess(provider, place=TWO).reasons == tier_two


def test_a_definition_may_let_a_branch_that_is_not_rated_into_a_tier() -> None:
    definition = a_framework(unrated_in=[Tiers.TWO])
    provider = a_provider(branches=[a_branch(rating=Rating.NOT_RATED)])
    assert assess(provider, definition, place=TWO).eligible
    assert not assess(provider, definition, place=ONE).eligible


@pytest.mark.parametrize(
    "branch",
    [
        a_branch(domiciliary_care=False),
        a_branch(status=BranchStatus.DORMANT),
        a_branch(status=BranchStatus.DEREGISTERED),
    ],
)
def test_a_branch_that_may_not_work_does_not_count_however_good_its_old_rating(branch: Branch) -> None:
    found = assess(a_provider(branches=[branch]))
    assert found.reasons == (NOT_ELIGIBLE,)
    assert [each.words for each in found.outcomes if not each.is_met] == [
        "no branch is registered for domiciliary care and active"
    ]


def test_a_provider_without_a_branch_is_not_eligible_even_where_the_tier_asks_for_nothing() -> None:
    definition = a_framework(tiers=(a_tier(Tiers.ONE),))
    assert assess(a_provider(branches=[]), definition).reasons == (NOT_ELIGIBLE,)
    assert assess(a_provider(), definition).eligible


def test_one_eligible_branch_is_enough() -> None:
    branches = [
        a_branch("Alder Clacton", rating=Rating.INADEQUATE),
        a_branch("Alder Harwich", rating=Rating.OUTSTANDING, status=BranchStatus.DEREGISTERED),
        a_branch("Alder Colchester", rating=Rating.GOOD),
    ]
    assert assess(a_provider(branches=branches)).eligible


def test_the_good_branch_must_itself_be_the_one_that_may_work() -> None:
    branches = [
        a_branch("Alder Clacton", rating=Rating.GOOD, domiciliary_care=False),
        a_branch("Alder Colchester", rating=Rating.REQUIRES_IMPROVEMENT),
    ]
    assert assess(a_provider(branches=branches)).reasons == (BELOW_FLOOR,)


def test_one_branch_must_meet_all_rules_about_branches() -> None:
    near = BranchLocationRule(rule="branch-location", miles=5)
    definition = a_framework(tiers=(a_tier(Tiers.ONE, a_rating_rule(Rating.GOOD), near),))
    finding = LocationFinding(FRAMEWORK, within=True, miles=Decimal(0), found_by="officer:first", found_at=MONDAY_NINE)
    near_and_bad = replace(a_branch("Near", rating=Rating.INADEQUATE), findings=(finding,))
    far_and_good = a_branch("Far")
    assert not assess(a_provider(branches=[near_and_bad, far_and_good]), definition).eligible
    assert assess(a_provider(branches=[near_and_bad, replace(far_and_good, findings=(finding,))]), definition).eligible


def test_every_rule_that_is_not_met_is_named_at_once() -> None:
    found = assess(a_provider(branches=[], turnover=None))
    assert [each.words for each in found.outcomes] == [
        "no branch is registered for domiciliary care and active",
        "no evidence of turnover, at least £290,000.00 a year is asked",
    ]


def test_a_skill_can_be_a_rule_of_a_tier_and_has_a_reason_of_its_own() -> None:
    definition = a_framework(tiers=(a_tier(Tiers.ONE, SkillRule(rule="skill", skill=Needs.DEMENTIA)),))
    skills = [SkillEvidence(Needs.DEMENTIA, "CERT-17", date(2026, 1, 1))]
    assert assess(a_provider(), definition).reasons == (PassOverReason.NO_EVIDENCE_OF_SKILL,)
    assert assess(a_provider(skills=skills), definition).eligible


def test_a_place_removed_from_the_definition_is_not_eligible() -> None:
    assert assess(a_provider(), place=a_place(AreaCode("E07000001"))).reasons == (NOT_ELIGIBLE,)
    provider = a_provider(places=[ONE])
    assert [each.eligible for each in assess_places(provider, {}, at=MONDAY_NINE)] == [False]


@pytest.mark.parametrize("state", [state for state in PlaceState if state is not PlaceState.ACTIVE])
def test_only_an_active_place_is_offered_work(state: PlaceState) -> None:
    event = announce(a_provider(places=[a_held_place(state=state)]))
    assert [(each.state, each.eligible, each.reasons) for each in event.places] == [
        (state, False, (PassOverReason.PLACE_NOT_ACTIVE,))
    ]


def test_eligibility_names_every_place_with_its_service_types_and_reasons() -> None:
    live_in = a_held_place(TWO, service_types=(ServiceTypes.LIVE_IN,), number=3)
    branches = [a_branch(rating=Rating.REQUIRES_IMPROVEMENT)]
    event = announce(a_provider(branches=branches, turnover=None, places=[ONE, live_in]))
    all_of_lot = (ServiceTypes.PERSONAL_CARE, ServiceTypes.NIGHT_SLEEP, ServiceTypes.LIVE_IN)
    first, second = event.places
    assert (first.service_types, first.reasons) == (all_of_lot, (BELOW_FLOOR, NOT_ELIGIBLE))
    assert second == Place(
        framework=FRAMEWORK,
        lot=LOT,
        area=TWO.area,
        tier=Tiers.TWO,
        service_types=(ServiceTypes.LIVE_IN,),
        number=3,
        joined_on=FRAMEWORK_START,
        state=PlaceState.ACTIVE,
        eligible=True,
    )


def test_a_provider_below_its_floor_in_tier_one_does_not_move_to_tier_two() -> None:
    event = announce(a_provider(branches=[a_branch(rating=Rating.REQUIRES_IMPROVEMENT)], places=[ONE]))
    assert [(each.tier, each.eligible) for each in event.places] == [(Tiers.ONE, False)]


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
    assert announce(a_provider(branches=branches), {}).rating is best


def test_a_spot_provider_is_published_with_areas_and_no_place() -> None:
    event = announce(a_provider(spot_areas=[TENDRING]), {})
    assert (event.spot_areas, event.places) == ((TENDRING,), ())


def test_the_skills_with_evidence_today_are_published_once_and_in_order() -> None:
    today = date(2026, 3, 2)
    evidence: list[tuple[NeedKey, date, date | None]] = [
        (Needs.HOIST, today, today),
        (Needs.DEMENTIA, date(2025, 1, 1), None),
        (Needs.DEMENTIA, date(2026, 1, 1), None),
        (Needs.PEG_FEEDING, date(2025, 1, 1), date(2026, 3, 1)),
    ]
    skills = [SkillEvidence(skill, "CERT-17", start, end) for skill, start, end in evidence]
    assert announce(a_provider(skills=skills)).skills == (Needs.DEMENTIA, Needs.HOIST)


def test_a_past_instant_is_judged_by_the_rating_of_that_day() -> None:
    records = [a_rating_record(Rating.INADEQUATE, date(2025, 12, 1)), a_rating_record(Rating.GOOD, date(2026, 2, 1))]
    provider = a_provider(branches=[a_branch(records=records)])
    then = assess(provider, at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    assert (then.eligible, assess(provider).eligible) == (False, True)
    assert then.outcomes[0].words == "CQC overall Inadequate since 1 December 2025, at least Good is asked"
