"""Awards of open packages: by one officer, or by two above the ceiling."""

from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardEnd,
    AwardLapsed,
    AwardRefusal,
    AwardRefused,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefusal,
)
from contracts.events.orders import SpotPriceRefused
from contracts.events.searches import PackagePlaced, SourcingStopped
from contracts.example_words import InadequateReasons, PriceRefusals
from contracts.ids import AwardId, ProposalId
from contracts.values import Rating
from sourcing.domain.errors import PackageNotOpen
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AwaitsApproval, AwardBarred, Placed, ProposalNotUsed, TimerKind
from sourcing.domain.triggers import AwardProposal
from sourcing.domain.work_items import AwardToApprove, ProposalsToDecide, find_work_items
from testkit.sourcing.builders import PACKAGE, a_known_provider, a_market, a_withdrawal, replace_facts, to_provider_id
from testkit.sourcing.definitions import a_definition, an_open_list
from testkit.sourcing.search_driver import SearchDriver, an_open_package
from testkit.sourcing.step_events import list_event_types

SPOT = a_known_provider("Spruce", tiers=(), spot=True)
OTHER = a_known_provider("Sorrel", tiers=(), spot=True)
INADEQUATE = a_known_provider("Spruce", tiers=(), spot=True, rating=Rating.INADEQUATE)


def test_at_exactly_the_ceiling_one_officer_awards_alone() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "29.00")
    step = driver.award("Spruce")
    assert list_event_types(step) == [ProposalAwarded, PackagePlaced]
    assert isinstance(step.outcome, Placed)
    assert driver.current.status is SearchStatus.PLACED
    placed = step.events[1]
    assert isinstance(placed, PackagePlaced)
    assert (placed.offer_id, placed.terms.rate) == (None, Decimal("29.00"))
    assert TimerKind.LISTED_TOO_LONG not in {kind for kind, _ in driver.timers}


def test_above_the_ceiling_it_is_placed_when_the_second_officer_approves() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "29.01")
    step = driver.award("Spruce")
    assert list_event_types(step) == [AwardAwaitsApproval]
    assert isinstance(step.outcome, AwaitsApproval)
    assert isinstance(find_work_items(driver.current)[0], AwardToApprove)
    assert list_event_types(driver.approve()) == [ProposalAwarded, PackagePlaced]


def test_the_same_officer_twice_is_refused() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce", officer="officer:first")
    step = driver.approve(officer="officer:first")
    assert list_event_types(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardRefusal.SAME_OFFICER,)
    assert driver.current.status is SearchStatus.LISTED


def test_the_same_award_again_is_the_same_award() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    first = driver.award("Spruce")
    again = driver.award("Spruce", officer="officer:other")
    assert (again.events, again.outcome) == ((), first.outcome)
    driver.approve()
    placed = driver.award("Spruce")
    assert placed.events == ()
    assert isinstance(placed.outcome, Placed)


def test_a_new_rate_cancels_the_award_and_needs_both_officers_again() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    waiting = driver.listing.award
    assert waiting is not None
    step = driver.propose("Spruce", "34.00")
    assert list_event_types(step) == [AwardLapsed, ProposalReceived]
    lapsed = step.events[0]
    assert isinstance(lapsed, AwardLapsed)
    assert lapsed.reason is AwardEnd.PROPOSAL_REPLACED
    assert driver.approve(award_id=waiting.award_id).events == ()
    assert driver.current.status is SearchStatus.LISTED


def test_a_refused_price_leaves_the_package_open() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    award = driver.listing.award
    assert award is not None
    word = SpotPriceRefused(
        package_id=PACKAGE,
        award_id=award.award_id,
        proposal_id=award.proposal_id,
        provider_id=to_provider_id("Spruce"),
        officer="officer:second",
        reason=PriceRefusals.TOO_HIGH,
    )
    assert list_event_types(driver.handle(word)) == [AwardLapsed]
    assert find_work_items(driver.current) == (ProposalsToDecide(1),)
    assert driver.handle(word).events == ()


def test_no_other_proposal_is_awarded_while_one_waits_for_approval() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "35.00")
    driver.propose("Sorrel", "28.00")
    driver.award("Spruce")
    waiting = driver.listing.award
    step = driver.award("Sorrel")
    assert (list_event_types(step), step.outcome) == ([AwardRefused], AwardBarred((AwardRefusal.ANOTHER_WAITS,)))
    assert driver.listing.award == waiting
    assert list_event_types(driver.approve()) == [ProposalAwarded, PackagePlaced]


def test_the_award_of_a_second_officer_is_refused_and_recorded() -> None:
    driver = an_open_package(SPOT, OTHER)
    driver.propose("Spruce", "28.00")
    driver.propose("Sorrel", "27.00")
    driver.award("Spruce")
    step = driver.award("Sorrel", officer="officer:other")
    assert (list_event_types(step), step.outcome) == ([AwardRefused], AwardBarred((AwardRefusal.NO_LONGER_OPEN,)))
    assert driver.current.status is SearchStatus.PLACED
    assert driver.current.placement is not None
    assert driver.current.placement.provider_id == to_provider_id("Spruce")


def test_eligibility_is_checked_again_at_the_approval() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, a_known_provider("Spruce", tiers=(), spot=True, embargoed=True))
    step = driver.approve()
    assert list_event_types(step) == [AwardRefused]
    assert driver.current.status is SearchStatus.LISTED


def test_an_embargo_prevents_an_award_and_is_recorded() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "28.00")
    driver.market = replace_facts(driver.market, a_known_provider("Spruce", tiers=(), spot=True, embargoed=True))
    assert driver.award("Spruce").outcome == AwardBarred((AwardRefusal.EMBARGOED,))


def test_an_award_to_a_provider_rated_inadequate_needs_a_reason() -> None:
    driver = an_open_package(INADEQUATE)
    driver.propose("Spruce", "28.00")
    with pytest.raises(InvalidInput):
        driver.award("Spruce")
    step = driver.award("Spruce", inadequate_reason=InadequateReasons.NO_OTHER_PROPOSAL)
    assert list_event_types(step) == [ProposalAwarded, PackagePlaced]


def test_a_provider_rated_inadequate_since_the_award_needs_a_reason_at_the_approval() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, INADEQUATE)
    step = driver.approve()
    assert list_event_types(step) == [AwardRefused]
    refused = step.events[0]
    assert isinstance(refused, AwardRefused)
    assert refused.reasons == (AwardRefusal.INADEQUATE_WITHOUT_REASON,)
    assert find_work_items(driver.current) == (ProposalsToDecide(1),)


def test_a_new_award_with_the_reason_is_placed_at_the_approval() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    driver.market = replace_facts(driver.market, INADEQUATE)
    driver.approve()
    driver.award("Spruce", inadequate_reason=InadequateReasons.SAFEGUARDS_AGREED)
    step = driver.approve()
    assert list_event_types(step) == [ProposalAwarded, PackagePlaced]
    awarded = step.events[0]
    assert isinstance(awarded, ProposalAwarded)
    assert (awarded.rating, awarded.inadequate_reason) == (Rating.INADEQUATE, InadequateReasons.SAFEGUARDS_AGREED)


def test_a_withdrawal_removes_the_listing_and_cancels_the_award() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "35.00")
    driver.award("Spruce")
    assert list_event_types(driver.handle(a_withdrawal())) == [AwardLapsed, SourcingStopped]
    assert driver.current.status is SearchStatus.STOPPED
    late = driver.propose("Spruce", "20.00")
    assert late.outcome == ProposalNotUsed((ProposalRefusal.NO_LONGER_OPEN,))
    assert driver.award("Spruce").outcome == AwardBarred((AwardRefusal.NO_LONGER_OPEN,))


def test_a_package_that_was_never_open_cannot_be_awarded() -> None:
    driver = SearchDriver(a_market("Alder", definition=a_definition(open_list=an_open_list()))).request()
    with pytest.raises(PackageNotOpen, match="never open"):
        driver.handle(AwardProposal(PACKAGE, ProposalId(PACKAGE), "officer:first"))


def test_an_approval_without_a_waiting_award_changes_nothing() -> None:
    driver = an_open_package(SPOT)
    driver.propose("Spruce", "28.00")
    assert driver.approve(award_id=AwardId(PACKAGE)).events == ()
