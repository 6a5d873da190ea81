"""Counter-offers to proposals, proposals that officers enter, awards that they withdraw, and assignments."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from contracts.errors import InvalidInput
from contracts.events.listings import AwardEnd, AwardLapsed, ProposalReceived, ProposalRefusal
from contracts.events.officer_acts import CounterOfferDeclined, CounterOfferMade, OfficerAssigned
from contracts.example_words import OfficerReasons, Variations
from contracts.ids import AwardId, CounterOfferId, ProposalId
from sourcing.domain.errors import (
    ActNotPossible,
    CounterOfferEnded,
    CounterOfferNotFound,
    ListingNotFound,
    ProposalNotFound,
)
from sourcing.domain.officers.commands import AnswerCounterOffer, MakeCounterOffer, WithdrawAward
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import CounterOffered, ProposalNotUsed, Proposed, Step
from sourcing.domain.triggers import SubmitProposal
from sourcing.domain.work_items import ProposalsToDecide, find_work_items
from testkit.sourcing.acting_officer import FIRST, ActingOfficer
from testkit.sourcing.builders import PACKAGE, a_known_provider, on_monday, replace_facts, to_provider_id
from testkit.sourcing.search_driver import SearchDriver, a_search, an_open_package
from testkit.sourcing.step_events import list_event_types

SPRUCE = a_known_provider("Spruce", tiers=(), spot=True)
UNTIL = on_monday("12:00:00")


def a_countered_proposal() -> SearchDriver:
    """Spruce proposed £31.00 with a variation, and an officer offers £28.50 until 12:00."""
    driver = an_open_package(SPRUCE)
    driver.propose("Spruce", "31.00", Variations.SHARED)
    ActingOfficer(driver).counter("Spruce", "28.50", valid_until=UNTIL, at=on_monday("10:00"))
    return driver


def answer(
    driver: SearchDriver, *, accepts: bool, name: str = "Spruce", at: str = "11:59:59", entered_by: str | None = None
) -> Step:
    (made,) = driver.listing.counter_offers
    command = AnswerCounterOffer(
        PACKAGE, made.counter_offer_id, to_provider_id(name), accepts=accepts, entered_by=entered_by
    )
    return driver.handle(command, at=on_monday(at))


def test_an_accepted_counter_offer_is_the_providers_new_proposal_with_what_it_proposed_for_it() -> None:
    driver = a_countered_proposal()
    before = driver.find_proposal("Spruce")
    step = answer(driver, accepts=True)
    assert list_event_types(step) == [ProposalReceived]
    assert isinstance(step.outcome, Proposed)
    proposal = driver.find_proposal("Spruce")
    assert (proposal.terms.rate, proposal.variations) == (Decimal("28.50"), (Variations.SHARED,))
    received = step.events[0]
    assert isinstance(received, ProposalReceived)
    assert (received.replaces, received.counter_offer_id) == (before.proposal_id, proposal.counter_offer_id)
    assert driver.listing.counter_offers == ()
    assert isinstance(driver.award("Spruce").search, object)
    assert driver.current.status is SearchStatus.PLACED


def test_its_last_instant_is_too_late_and_the_one_before_is_not() -> None:
    with pytest.raises(CounterOfferEnded, match="was valid until"):
        answer(a_countered_proposal(), accepts=True, at="12:00:00")
    assert isinstance(answer(a_countered_proposal(), accepts=True, at="11:59:59").outcome, Proposed)


def test_a_declined_counter_offer_leaves_the_proposal_and_cannot_be_accepted_afterwards() -> None:
    driver = a_countered_proposal()
    assert list_event_types(answer(driver, accepts=False)) == [CounterOfferDeclined]
    assert answer(driver, accepts=False).events == ()
    with pytest.raises(CounterOfferEnded, match="have declined"):
        answer(driver, accepts=True)
    assert driver.find_proposal("Spruce").terms.rate == Decimal("31.00")
    assert find_work_items(driver.current) == (ProposalsToDecide(1),)


def test_the_same_acceptance_again_has_the_same_outcome_and_a_decline_after_it_is_refused() -> None:
    driver = a_countered_proposal()
    (made,) = driver.listing.counter_offers
    accept = AnswerCounterOffer(PACKAGE, made.counter_offer_id, to_provider_id("Spruce"), accepts=True)
    first = driver.handle(accept)
    again = driver.handle(accept)
    assert (again.events, again.outcome) == ((), first.outcome)
    with pytest.raises(CounterOfferEnded, match="have accepted"):
        driver.handle(replace(accept, accepts=False))


def test_a_new_proposal_of_the_provider_ends_the_counter_offer() -> None:
    driver = a_countered_proposal()
    (made,) = driver.listing.counter_offers
    driver.propose("Spruce", "30.00")
    with pytest.raises(CounterOfferNotFound):
        driver.handle(AnswerCounterOffer(PACKAGE, made.counter_offer_id, to_provider_id("Spruce"), accepts=True))


def test_another_provider_cannot_answer_it_nor_one_of_a_package_that_was_never_listed() -> None:
    with pytest.raises(CounterOfferNotFound):
        answer(a_countered_proposal(), accepts=True, name="Alder")
    with pytest.raises(ListingNotFound):
        a_search("Alder").handle(
            AnswerCounterOffer(PACKAGE, CounterOfferId(PACKAGE), to_provider_id("Alder"), accepts=True)
        )


def test_an_embargo_that_began_since_refuses_the_acceptance_on_record() -> None:
    driver = a_countered_proposal()
    driver.market = replace_facts(driver.market, replace(SPRUCE, embargoed=True))
    assert answer(driver, accepts=True).outcome == ProposalNotUsed((ProposalRefusal.EMBARGOED,))


def test_a_placed_package_has_no_counter_offer_to_accept() -> None:
    driver = a_countered_proposal()
    driver.award("Spruce")
    driver.approve()
    with pytest.raises(CounterOfferEnded, match="no longer open"):
        answer(driver, accepts=True)


def test_the_same_counter_offer_again_is_the_same_and_another_rate_replaces_it() -> None:
    driver = a_countered_proposal()
    (made,) = driver.listing.counter_offers
    officer = ActingOfficer(driver)
    again = officer.counter("Spruce", "28.50", valid_until=UNTIL)
    assert (again.events, again.outcome) == ((), CounterOffered(made))
    assert list_event_types(officer.counter("Spruce", "29.00", valid_until=UNTIL)) == [CounterOfferMade]
    assert [each.terms.rate for each in driver.listing.counter_offers] == [Decimal("29.00")]


def test_a_counter_offer_needs_a_proposal_that_stands_and_an_end_in_the_future() -> None:
    driver = an_open_package(SPRUCE)
    with pytest.raises(ActNotPossible, match="wait for a proposal"):
        driver.handle(a_counter_offer())
    driver.propose("Spruce", "31.00")
    with pytest.raises(ProposalNotFound):
        driver.handle(a_counter_offer())
    with pytest.raises(InvalidInput, match="in the future"):
        ActingOfficer(driver).counter("Spruce", "28.00", valid_until=driver.at)
    driver.award("Spruce")
    with pytest.raises(ActNotPossible, match="of this proposal waits"):
        ActingOfficer(driver).counter("Spruce", "28.00", valid_until=UNTIL)


def a_counter_offer() -> MakeCounterOffer:
    """A counter-offer to a proposal that no provider made."""
    return MakeCounterOffer(PACKAGE, ProposalId(PACKAGE), Decimal("28.00"), UNTIL, FIRST, OfficerReasons.OTHER)


def test_an_officer_enters_a_proposal_for_a_provider_and_the_record_says_who_did() -> None:
    driver = an_open_package(SPRUCE)
    entered = SubmitProposal(PACKAGE, to_provider_id("Spruce"), Decimal("28.00"), entered_by=FIRST)
    step = driver.handle(entered)
    assert isinstance(step.events[0], ProposalReceived)
    assert step.events[0].entered_by == FIRST
    assert driver.handle(entered).events == ()


def test_an_officer_withdraws_an_award_that_waits_and_the_package_stays_open() -> None:
    driver = an_open_package(SPRUCE)
    driver.propose("Spruce", "31.00")
    driver.award("Spruce")
    waiting = driver.listing.award
    assert waiting is not None
    step = ActingOfficer(driver).second.withdraw_award()
    (lapsed,) = step.events
    assert isinstance(lapsed, AwardLapsed)
    assert (lapsed.reason, lapsed.officer) == (AwardEnd.WITHDRAWN_BY_OFFICER, "officer:second")
    assert lapsed.officer_reason == OfficerReasons.PRICE_NOT_JUSTIFIED
    assert driver.approve(award_id=waiting.award_id).events == ()
    assert driver.current.status is SearchStatus.LISTED
    with pytest.raises(ActNotPossible, match="no award waits"):
        driver.handle(WithdrawAward(PACKAGE, waiting.award_id, FIRST, OfficerReasons.OTHER))


def test_another_award_than_the_one_that_waits_cannot_be_withdrawn() -> None:
    driver = an_open_package(SPRUCE)
    driver.propose("Spruce", "31.00")
    driver.award("Spruce")
    with pytest.raises(ActNotPossible, match="does not wait any more"):
        driver.handle(WithdrawAward(PACKAGE, AwardId(PACKAGE), FIRST, OfficerReasons.OTHER))


def test_a_package_is_assigned_to_an_officer_and_stays_so_when_it_is_placed() -> None:
    driver = a_search("Alder")
    officer = ActingOfficer(driver)
    assert list_event_types(officer.assign("officer:jo")) == [OfficerAssigned]
    assert officer.assign("officer:jo").events == ()
    driver.accept("Alder", at=driver.at + timedelta(minutes=1))
    assert driver.current.acts.assigned_to == "officer:jo"
    assert list_event_types(officer.assign(None)) == [OfficerAssigned]
