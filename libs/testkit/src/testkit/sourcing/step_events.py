"""Events of a search's steps, for tests of its rules."""

from contracts.events.offers import OfferMade
from contracts.events.searches import ProviderPassedOver
from contracts.values import PassOverReason
from sourcing.domain.steps import Step
from testkit.sourcing.search_driver import SearchDriver


def list_event_types(step: Step) -> list[type]:
    """Lists the types of a step's events in their order."""
    return [type(event) for event in step.events]


def list_offered_providers(driver: SearchDriver) -> list[object]:
    """Lists the providers in the order of their offers."""
    return [event.provider_id for event in driver.events if isinstance(event, OfferMade)]


def find_passed_over(driver: SearchDriver) -> dict[object, tuple[PassOverReason, ...]]:
    return {event.provider_id: event.reasons for event in driver.events if isinstance(event, ProviderPassedOver)}
