"""Eligibility of a provider for each of its places.

One eligible branch is enough; contract and rank belong to the provider. An embargo is not part of eligibility: it
covers all places at once and has its own events.
"""

from dataclasses import dataclass
from datetime import datetime

from contracts.events.providers import EligibilityChanged, Place
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import ServiceTypeKey
from contracts.office_time import to_office_date
from contracts.values import PassOverReason, PlaceState
from provider_registry.domain.entry_rules.checks import check_entry_rules
from provider_registry.domain.entry_rules.outcomes import RuleOutcome
from provider_registry.domain.places import ProviderPlace
from provider_registry.domain.provider import Definitions, Provider
from provider_registry.domain.skills import list_skills

NO_SUCH_PLACE = RuleOutcome(is_met=False, words="the framework's definition has no such lot, area or tier any more")


@dataclass(frozen=True)
class PlaceAssessment:
    """One place at one instant: its state, and the outcome of each entry rule."""

    place: ProviderPlace
    service_types: tuple[ServiceTypeKey, ...]
    state: PlaceState
    outcomes: tuple[RuleOutcome, ...]

    @property
    def eligible(self) -> bool:
        """True if the provider may be offered work here."""
        return self.state is PlaceState.ACTIVE and all(each.is_met for each in self.outcomes)

    @property
    def reasons(self) -> tuple[PassOverReason, ...]:
        found = {each.reason for each in self.outcomes if not each.is_met}
        if self.state is not PlaceState.ACTIVE:
            found.add(PassOverReason.PLACE_NOT_ACTIVE)
        return tuple(reason for reason in PassOverReason if reason in found)


def assess_places(provider: Provider, definitions: Definitions, *, at: datetime) -> tuple[PlaceAssessment, ...]:
    """Assesses all places as at an instant, by the definitions in force then and by what is recorded today."""
    return tuple(_assess(provider, each, definitions.get(each.place.framework), at) for each in provider.places)


def assess_eligibility(provider: Provider, definitions: Definitions, *, at: datetime) -> EligibilityChanged:
    """Returns the provider's eligibility in all its places, its skills and its spot areas, as an event."""
    today = to_office_date(at)
    return EligibilityChanged(
        provider_id=provider.provider_id,
        places=tuple(map(_to_event_place, assess_places(provider, definitions, at=at))),
        skills=list_skills(provider.skills, today),
        spot_areas=provider.spot_areas,
        rating=provider.get_best_rating(today),
    )


def _assess(
    provider: Provider, held: ProviderPlace, definition: FrameworkDefinition | None, at: datetime
) -> PlaceAssessment:
    place, state = held.place, held.get_state(at)
    tier = None if definition is None else definition.find_tier(place.tier)
    if definition is None or tier is None or not definition.has_place(place.lot, place.area, place.tier):
        return PlaceAssessment(held, held.service_types, state, (NO_SUCH_PLACE,))
    service_types = held.service_types or definition.list_service_types(place.lot)
    return PlaceAssessment(held, service_types, state, check_entry_rules(provider, tier, definition, at=at))


def _to_event_place(assessment: PlaceAssessment) -> Place:
    held = assessment.place
    return Place(
        framework=held.place.framework,
        lot=held.place.lot,
        area=held.place.area,
        tier=held.place.tier,
        service_types=assessment.service_types,
        number=held.number,
        joined_on=held.joined_on,
        state=assessment.state,
        eligible=assessment.eligible,
        reasons=assessment.reasons,
    )
