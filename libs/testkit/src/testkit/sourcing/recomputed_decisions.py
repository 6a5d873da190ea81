"""What the rules say about a generated search, worked out a second time from what was published: reasons and orders."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from zoneinfo import ZoneInfo

from contracts.events.base import PackageEvent
from contracts.events.packages import PackageRequested
from contracts.events.providers import EligibilityChanged
from contracts.events.rates import RatesSelected
from contracts.events.searches import DefinitionVersionChanged, SourcingStarted, StageCandidate, StageEntered
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import Conditions
from contracts.ids import ProviderId
from contracts.values import Care, Order, PassOverReason, PlaceState, Terms
from testkit.sourcing.generated_search import GeneratedSearch, Step
from testkit.sourcing.generated_world import World
from testkit.sourcing.recomputed_terms import recompute_terms


@dataclass(frozen=True)
class Moment:
    """One event of a search, with the definition that holds for it and the stage that it belongs to."""

    event: PackageEvent
    at: datetime
    step: Step
    definition: FrameworkDefinition
    stage: StageEntered | None


def list_moments(search: GeneratedSearch) -> Iterator[Moment]:
    """Yields the events since the search started, each with the version that it was bound to then."""
    versions = {each.version: each for each in search.world.definitions}
    definition, stage = None, None
    for step in search.steps:
        for event in step.events:
            if isinstance(event, SourcingStarted):
                definition = versions[event.definition_version]
            if isinstance(event, DefinitionVersionChanged):
                definition = versions[event.to_version]
            if isinstance(event, StageEntered):
                stage = event
            if definition is not None:
                yield Moment(event, step.at, step, definition, stage)


def find_terms(world: World, moment: Moment, care: Care, candidate: StageCandidate) -> Terms | None:
    """Computes the terms with the candidate at this moment."""
    rates = world.find_fact(candidate.provider_id, RatesSelected, area=candidate.area, at=moment.at)
    day = moment.at.astimezone(ZoneInfo(moment.definition.brokerage.timezone)).date()
    return recompute_terms(moment.definition, care, area=candidate.area, rates=rates, on=day)


def list_bars(world: World, request: PackageRequested, candidate: StageCandidate, at: datetime) -> set[PassOverReason]:
    """Lists what bars the candidate from an offer and from an award at this instant."""
    bars = set[PassOverReason]()
    if world.is_embargoed(candidate.provider_id, at=at):
        bars.add(PassOverReason.EMBARGOED)
    if candidate.provider_id in request.wishes.refused:
        bars.add(PassOverReason.REFUSED_BY_PERSON)
    eligibility = world.find_fact(candidate.provider_id, EligibilityChanged, at=at)
    for place in eligibility.places if eligibility is not None else ():
        if (place.lot, place.area, place.tier) != (candidate.lot, candidate.area, candidate.tier):
            continue
        if place.state is not PlaceState.ACTIVE:
            bars.add(PassOverReason.PLACE_NOT_ACTIVE)
        if not place.eligible:
            bars.update(place.reasons or [PassOverReason.NOT_ELIGIBLE])
        return bars
    return {*bars, PassOverReason.NOT_A_MEMBER}


def list_reasons_against(
    world: World, request: PackageRequested, moment: Moment, candidate: StageCandidate
) -> set[PassOverReason]:
    """Lists all reasons to pass the candidate over when its turn comes."""
    care, provider, at = request.care, candidate.provider_id, moment.at
    reasons = list_bars(world, request, candidate, at)
    free_hours = world.compute_free_hours(provider, care.area, at=at)
    if free_hours is not None and free_hours < _count_hours(care):
        reasons.add(PassOverReason.NO_CAPACITY)
    eligibility = world.find_fact(provider, EligibilityChanged, at=at)
    place_of = (candidate.lot, candidate.area, candidate.tier)
    for place in eligibility.places if eligibility is not None else ():
        if (place.lot, place.area, place.tier) == place_of and care.service_type not in place.service_types:
            reasons.add(PassOverReason.SERVICE_TYPE_NOT_OFFERED)
    required = {each.skill for each in moment.definition.skills if each.required} & set(care.needs)
    if not required <= set(eligibility.skills if eligibility is not None else ()):
        reasons.add(PassOverReason.NO_EVIDENCE_OF_SKILL)
    if find_terms(world, moment, care, candidate) is None:
        reasons.add(PassOverReason.NO_RATE_SELECTED)
    return reasons


def _count_hours(care: Care) -> Decimal:
    minutes = sum(len(visit.days) * visit.minutes * visit.carers for visit in care.visits)
    return Decimal((minutes * 100 * 2 + 60) // 120).scaleb(-2)


def is_meant_for(conditions: Conditions, definition: FrameworkDefinition, care: Care) -> bool:
    """Returns whether the package fulfils each condition that is given."""
    by_code = [each.band for each in definition.travel_bands if care.outward_code in each.outward_codes]
    by_area = [each.travel_band for each in definition.areas if each.code == care.area]
    return not (
        (conditions.lots and care.lot not in conditions.lots)
        or (conditions.areas and care.area not in conditions.areas)
        or (conditions.service_types and care.service_type not in conditions.service_types)
        or (conditions.routes and care.route not in conditions.routes)
        or (conditions.urgent is not None and conditions.urgent != care.urgent)
        or (conditions.needs and not set(conditions.needs) & set(care.needs))
        or (conditions.travel_bands and (by_code or by_area)[0] not in conditions.travel_bands)
    )


@dataclass(frozen=True)
class RecordedOrder:
    """An order as the record has it, with what is needed to compute it again."""

    order: Sequence[Order]
    seed: object
    candidates: Sequence[StageCandidate]
    tiers: Sequence[str] = ()
    list_ranks: Mapping[ProviderId, int] | None = None
    first: ProviderId | None = None
    """The designated provider, which comes before all others."""

    def recompute(self) -> list[ProviderId]:
        return [each.provider_id for each in sorted(self.candidates, key=self._rank)]

    def _rank(self, candidate: StageCandidate) -> tuple[object, ...]:
        position = self.tiers.index(candidate.tier) if candidate.tier in self.tiers else 0
        if candidate.provider_id == self.first:
            position = -1
        draw = sha256(f"{self.seed}/{candidate.provider_id}".encode()).hexdigest()
        return (position, *(self._get_figure(order, candidate) for order in self.order if order != "draw"), draw)

    def _get_figure(self, order: Order, candidate: StageCandidate) -> tuple[object, ...]:
        if order is Order.ROTATION:
            awarded, joined = candidate.last_award_at, candidate.joined_on
            return (0, joined or date.max) if awarded is None else (1, awarded)
        figure = {
            Order.RANKED_LIST: (self.list_ranks or {}).get(candidate.provider_id),
            Order.NUMBER: candidate.number,
            Order.PRICE: candidate.price,
        }[order]
        return (1,) if figure is None else (0, figure)
