"""The council withdraws a package: the search always answers, once."""

from contracts.events.packages import OfferWithdrawn, PlacementVoided, SourcingStopped
from contracts.values import WithdrawalReason
from sourcing.domain.decisions import decide
from sourcing.domain.market import Market
from sourcing.domain.search import OfferStatus, SearchStatus
from sourcing.domain.steps import Placed, Step
from sourcing.domain.triggers import NextOfferDue, Retry
from testkit.sourcing.builders import PACKAGE, Story, a_market, a_search, a_withdrawal, ids_in_order, monday


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def test_a_withdrawal_before_an_acceptance_withdraws_the_offer_and_stops_the_search() -> None:
    story = a_search("Alder", "Birch")
    step = story.happens(a_withdrawal())
    assert happened(step) == [OfferWithdrawn, SourcingStopped]
    assert story.known.status is SearchStatus.STOPPED
    assert story.offer_to("Alder").status is OfferStatus.WITHDRAWN
    assert story.alarms == {}


def test_a_search_between_two_offers_stops() -> None:
    story = Story(a_market("Alder", "Birch"), at=monday("17:30")).requested()
    assert happened(story.happens(a_withdrawal())) == [SourcingStopped]
    assert story.alarms == {}


def test_a_held_search_stops_also_without_any_view() -> None:
    story = Story(Market()).requested()
    assert happened(story.happens(a_withdrawal())) == [SourcingStopped]
    assert story.known.status is SearchStatus.STOPPED


def test_a_live_offer_is_withdrawn_also_without_any_view() -> None:
    story = a_search("Alder")
    story.market = Market()
    assert happened(story.happens(a_withdrawal())) == [OfferWithdrawn, SourcingStopped]


def test_an_exhausted_search_stops() -> None:
    story = a_search("Alder")
    story.declines("Alder")
    assert happened(story.happens(a_withdrawal())) == [SourcingStopped]


def test_a_package_that_was_never_sourced_is_answered_too() -> None:
    step = decide(None, a_withdrawal(), market=Market(), at=monday("09:00"), new_id=ids_in_order())
    assert step == Step(None, (SourcingStopped(package_id=PACKAGE, search_id=None),))


def test_after_the_placement_a_withdrawal_voids_it_and_gives_its_hours_back() -> None:
    story = a_search("Alder")
    accepted = story.accepts("Alder").outcome
    assert isinstance(accepted, Placed)
    (voided,) = story.happens(a_withdrawal(WithdrawalReason.PERSON_DIED)).events
    assert voided == PlacementVoided(
        package_id=PACKAGE,
        placement_id=accepted.placement.placement_id,
        provider_id=accepted.placement.provider_id,
        weekly_hours=accepted.placement.weekly_hours,
        reason=WithdrawalReason.PERSON_DIED,
    )
    assert story.known.status is SearchStatus.STOPPED
    assert story.known.placement is not None
    assert story.known.placement.voided


def test_a_second_withdrawal_is_no_news() -> None:
    stopped = a_search("Alder")
    stopped.happens(a_withdrawal())
    assert stopped.happens(a_withdrawal()) == Step(stopped.search)
    voided = a_search("Alder")
    voided.accepts("Alder")
    voided.happens(a_withdrawal())
    assert voided.happens(a_withdrawal()) == Step(voided.search)


def test_nothing_starts_a_stopped_search_again() -> None:
    story = a_search("Alder", "Birch")
    story.happens(a_withdrawal())
    assert story.happens(Retry()) == Step(story.search)
    assert story.happens(NextOfferDue()) == Step(story.search)
