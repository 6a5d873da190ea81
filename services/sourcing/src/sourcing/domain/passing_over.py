"""Why a provider is passed over for a package: all reasons that hold, in the order of PassOverReason."""

from collections.abc import Iterable

from contracts.events.searches import StageCandidate
from contracts.framework.definition import FrameworkDefinition
from contracts.values import Care, PassOverReason, PlaceState, Wishes
from sourcing.domain.market import ProviderFacts


def find_pass_over_reasons(
    facts: ProviderFacts,
    *,
    care: Care,
    wishes: Wishes,
    candidate: StageCandidate,
    definition: FrameworkDefinition,
    at_award: bool,
) -> tuple[PassOverReason, ...]:
    """Find all reasons to pass the provider over.

    At the award, capacity, service type and skills do not count: the provider knows best what it can take on.
    """
    reasons = {*_find_place_reasons(facts, care, candidate), *_find_barring_reasons(facts, wishes)}
    if not at_award:
        reasons |= {*_find_capacity_reasons(facts, care, candidate), *_find_skill_reasons(facts, care, definition)}
    return tuple(reason for reason in PassOverReason if reason in reasons)


def _find_place_reasons(facts: ProviderFacts, care: Care, candidate: StageCandidate) -> Iterable[PassOverReason]:
    place = facts.find_place(care.framework, candidate.lot, candidate.area, candidate.tier)
    if place is None:
        yield PassOverReason.NOT_A_MEMBER
        return
    if place.state is not PlaceState.ACTIVE:
        yield PassOverReason.PLACE_NOT_ACTIVE
    if not place.eligible:
        yield from place.reasons or (PassOverReason.NOT_ELIGIBLE,)


def _find_barring_reasons(facts: ProviderFacts, wishes: Wishes) -> Iterable[PassOverReason]:
    if facts.embargoed:
        yield PassOverReason.EMBARGOED
    if facts.provider_id in wishes.refused:
        yield PassOverReason.REFUSED_BY_PERSON


def _find_capacity_reasons(facts: ProviderFacts, care: Care, candidate: StageCandidate) -> Iterable[PassOverReason]:
    if facts.free_hours is not None and facts.free_hours < care.weekly_hours:
        yield PassOverReason.NO_CAPACITY
    place = facts.find_place(care.framework, candidate.lot, candidate.area, candidate.tier)
    if place is not None and care.service_type not in place.service_types:
        yield PassOverReason.SERVICE_TYPE_NOT_OFFERED


def _find_skill_reasons(facts: ProviderFacts, care: Care, definition: FrameworkDefinition) -> Iterable[PassOverReason]:
    skills = facts.eligibility.skills if facts.eligibility is not None else ()
    needed = (definition.find_skill(need) for need in care.needs)
    if any(skill is not None and skill.required and skill.skill not in skills for skill in needed):
        yield PassOverReason.NO_EVIDENCE_OF_SKILL
