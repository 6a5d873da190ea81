"""What an answer is worth: in time, late, repeated, contradictory, undelivered, of somebody else."""

from decimal import Decimal
from uuid import UUID

import pytest

from contracts.events.offers import (
    LateAnswerRefused,
    OfferAccepted,
    OfferAnswer,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
)
from contracts.events.reasons import LateReason
from contracts.events.searches import PackagePlaced
from contracts.example_words import DeclineReasons, ServiceTypes
from contracts.ids import NoteId, OfferId
from contracts.values import PassOverReason
from sourcing.domain.decisions import decide
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.market import ProviderFacts
from sourcing.domain.offer import Accept, Decline, OfferStatus
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import AnswerNotUsed, Declined, Placed, Step, TimerKind
from sourcing.domain.triggers import AnswerOffer, OfferExpiryDue, ProjectionUpdated
from testkit.sourcing.builders import (
    PACKAGE,
    a_known_provider,
    a_market,
    a_withdrawal,
    build_id_counter,
    on_monday,
    replace_facts,
    to_provider_id,
)
from testkit.sourcing.search_driver import SearchDriver, a_search
from testkit.sourcing.step_events import list_event_types


def test_the_delivery_starts_the_clock() -> None:
    driver = SearchDriver(a_market("Alder"), at=on_monday("16:00")).request()
    step = driver.deliver(at=on_monday("16:45"))
    assert list_event_types(step) == [OfferClockStarted]
    assert driver.live_offer.status is OfferStatus.DELIVERED
    assert driver.live_offer.answer_by == on_monday("16:45").replace(day=13, hour=8)
    assert driver.find_timer(TimerKind.OFFER_EXPIRES).at == driver.live_offer.answer_by


def test_a_second_delivery_changes_nothing() -> None:
    driver = a_search("Alder", at=on_monday("09:00"))
    assert driver.deliver(at=on_monday("09:10")) == Step(driver.state)


def test_an_acceptance_in_time_places_the_package() -> None:
    driver = a_search("Alder", at=on_monday("09:00"))
    step = driver.accept("Alder", at=on_monday("09:29"))
    assert list_event_types(step) == [OfferAccepted, PackagePlaced]
    assert driver.current.status is SearchStatus.PLACED
    placement = driver.current.placement
    assert placement is not None
    assert step.outcome == Placed(placement)
    assert (placement.provider_id, placement.weekly_hours) == (to_provider_id("Alder"), Decimal("10.00"))
    assert placement.placed_at == on_monday("09:29")
    assert driver.timers == {}


def test_an_acceptance_at_a_quarter_to_eight_in_the_evening_places_the_package() -> None:
    driver = a_search("Alder", at=on_monday("16:45"))
    driver.accept("Alder", at=on_monday("19:45"))
    assert driver.current.status is SearchStatus.PLACED


def test_an_acceptance_before_the_delivery_is_known_proves_it_and_counts() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    offer = driver.live_offer
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.PLACED
    assert driver.timers == {}
    assert driver.current.find_offer(offer.offer_id) is not None


def test_a_microsecond_before_the_end_is_in_time_and_the_end_itself_is_late() -> None:
    in_time = a_search("Alder", at=on_monday("09:00"))
    in_time.accept("Alder", at=on_monday("09:29:59.999999"))
    assert in_time.current.status is SearchStatus.PLACED
    late = a_search("Alder", at=on_monday("09:00"))
    late.accept("Alder", at=on_monday("09:30"))
    assert late.current.status is not SearchStatus.PLACED


def test_a_late_answer_ends_the_offer_in_its_own_step_and_the_next_provider_follows() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("09:00"))
    step = driver.accept("Alder", at=on_monday("09:30"))
    assert list_event_types(step) == [OfferExpired, LateAnswerRefused]
    assert step.outcome == AnswerNotUsed(LateReason.AFTER_THE_END)
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_a_late_answer_is_recorded_once_of_a_kind_and_every_one_is_refused() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("09:00"))
    driver.fire_timer(TimerKind.OFFER_EXPIRES)
    answers = (Accept(), Accept(), Decline(DeclineReasons.RISK), Accept(), Decline(DeclineReasons.OTHER), Accept())
    steps = [driver.answer("Alder", answer, at=on_monday("09:40")) for answer in answers]
    assert {step.outcome for step in steps} == {AnswerNotUsed(LateReason.AFTER_THE_END)}
    assert [len(step.events) for step in steps] == [1, 0, 1, 0, 0, 0]


def test_another_answer_than_the_first_is_recorded_once() -> None:
    driver = a_search("Alder", "Birch")
    driver.accept("Alder")
    steps = [driver.answer("Alder", Decline(DeclineReasons.RISK)) for _ in range(3)]
    assert {step.outcome for step in steps} == {AnswerNotUsed(LateReason.ALREADY_ANSWERED)}
    assert [len(step.events) for step in steps] == [1, 0, 0]


def test_the_time_to_answer_runs_out_by_the_alarm() -> None:
    driver = a_search("Alder", "Birch", at=on_monday("09:00"))
    step = driver.fire_timer(TimerKind.OFFER_EXPIRES)
    assert list_event_types(step) == [OfferExpired]
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_an_alarm_that_comes_too_early_or_for_another_offer_expires_nothing() -> None:
    driver = a_search("Alder", at=on_monday("09:00"))
    assert driver.handle(OfferExpiryDue(driver.live_offer.offer_id), at=on_monday("09:29")) == Step(driver.state)
    assert driver.handle(OfferExpiryDue(OfferId(UUID(int=99))), at=on_monday("09:30")) == Step(driver.state)


def test_an_offer_that_was_accepted_does_not_expire() -> None:
    driver = a_search("Alder", at=on_monday("09:00"))
    offer = driver.live_offer
    driver.accept("Alder")
    assert driver.handle(OfferExpiryDue(offer.offer_id), at=on_monday("09:30")) == Step(driver.state)


def test_an_undelivered_offer_does_not_expire() -> None:
    driver = SearchDriver(a_market("Alder")).request()
    assert driver.handle(OfferExpiryDue(driver.live_offer.offer_id), at=on_monday("16:00")) == Step(driver.state)


def test_a_decline_is_recorded_with_its_reason_and_its_note() -> None:
    driver = a_search("Alder")
    note = NoteId(UUID(int=7))
    step = driver.answer("Alder", Decline(DeclineReasons.TOO_FAR, note))
    (declined,) = step.events
    assert isinstance(declined, OfferDeclined)
    assert (declined.reason, declined.note_id) == (DeclineReasons.TOO_FAR, note)
    assert step.outcome == Declined(declined.offer_id)


def test_the_same_acceptance_again_gets_the_same_response_and_places_nothing_twice() -> None:
    driver = a_search("Alder")
    first = driver.accept("Alder")
    assert driver.accept("Alder") == Step(driver.state, outcome=first.outcome)


def test_the_same_decline_again_gets_the_same_response_whatever_note_comes_with_it() -> None:
    driver = a_search("Alder", "Birch")
    first = driver.answer("Alder", Decline(DeclineReasons.RISK, NoteId(UUID(int=1))))
    again = driver.answer("Alder", Decline(DeclineReasons.RISK, NoteId(UUID(int=2))))
    assert again == Step(driver.state, outcome=first.outcome)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(Accept(), Decline(DeclineReasons.RISK), id="a decline after the acceptance"),
        pytest.param(Decline(DeclineReasons.RISK), Accept(), id="an acceptance after the decline"),
        pytest.param(Decline(DeclineReasons.RISK), Decline(DeclineReasons.OTHER), id="another reason"),
    ],
)
def test_another_answer_than_the_first_is_recorded_and_refused(
    first: Accept | Decline, second: Accept | Decline
) -> None:
    driver = a_search("Alder", "Birch")
    driver.answer("Alder", first)
    before = driver.current.status
    step = driver.answer("Alder", second)
    assert step.outcome == AnswerNotUsed(LateReason.ALREADY_ANSWERED)
    (refused,) = step.events
    assert isinstance(refused, LateAnswerRefused)
    assert refused.answer is (OfferAnswer.ACCEPT if second == Accept() else OfferAnswer.DECLINE)
    assert driver.current.status is before


def test_an_answer_to_a_withdrawn_offer_is_recorded_and_refused() -> None:
    driver = a_search("Alder")
    driver.handle(a_withdrawal())
    step = driver.accept("Alder")
    assert list_event_types(step) == [LateAnswerRefused]
    assert step.outcome == AnswerNotUsed(LateReason.WITHDRAWN)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(a_known_provider("Alder", embargoed=True), PassOverReason.EMBARGOED, id="embargo"),
        pytest.param(
            a_known_provider("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,)),
            PassOverReason.RATING_BELOW_FLOOR,
            id="rating",
        ),
    ],
)
def test_a_provider_that_lost_its_right_is_refused_at_the_award_and_the_next_follows(
    facts: ProviderFacts, reason: PassOverReason
) -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, facts)
    step = driver.accept("Alder")
    assert list_event_types(step) == [OfferWithdrawn, LateAnswerRefused]
    assert step.outcome == AnswerNotUsed(LateReason.NO_LONGER_ELIGIBLE, (reason,))
    assert driver.live_offer.provider_id == to_provider_id("Birch")


def test_the_same_acceptance_again_after_such_a_refusal_gets_the_same_response() -> None:
    driver = a_search("Alder", "Birch")
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    first = driver.accept("Alder")
    driver.market = replace_facts(driver.market, a_known_provider("Alder"))
    assert driver.accept("Alder") == Step(driver.state, outcome=first.outcome)


def test_an_embargo_does_not_call_a_live_offer_back() -> None:
    driver = a_search("Alder")
    driver.market = replace_facts(driver.market, a_known_provider("Alder", embargoed=True))
    driver.handle(ProjectionUpdated())
    assert driver.live_offer.provider_id == to_provider_id("Alder")


def test_capacity_and_service_type_do_not_count_at_the_award() -> None:
    driver = a_search("Alder")
    driver.market = replace_facts(
        driver.market, a_known_provider("Alder", free_hours=Decimal(0), service_types=[ServiceTypes.LIVE_IN])
    )
    driver.accept("Alder")
    assert driver.current.status is SearchStatus.PLACED


def test_another_providers_offer_and_an_unknown_one_are_not_found() -> None:
    driver = a_search("Alder", "Birch")
    with pytest.raises(OfferNotFound):
        driver.handle(AnswerOffer(PACKAGE, driver.live_offer.offer_id, to_provider_id("Birch"), Accept()))
    with pytest.raises(OfferNotFound):
        driver.handle(AnswerOffer(PACKAGE, OfferId(UUID(int=99)), to_provider_id("Alder"), Accept()))


def test_an_offer_of_a_package_that_nobody_asked_for_is_not_found() -> None:
    order = AnswerOffer(PACKAGE, OfferId(UUID(int=1)), to_provider_id("Alder"), Accept())
    with pytest.raises(OfferNotFound):
        decide(None, order, market=a_market(), at=on_monday("09:00"), new_id=build_id_counter())
