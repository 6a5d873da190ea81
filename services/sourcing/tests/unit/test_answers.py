"""What an answer is worth: in time, late, repeated, contradictory, undelivered, of somebody else."""

from decimal import Decimal
from uuid import UUID

import pytest

from contracts.events.packages import (
    Answer,
    LateAnswerRefused,
    LateReason,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    PackagePlaced,
)
from contracts.ids import NoteId, OfferId
from contracts.values import DeclineReason, PassOverReason, ServiceType
from sourcing.domain.decisions import decide
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.market import ProviderFacts
from sourcing.domain.search import Accept, Decline, OfferStatus, SearchStatus
from sourcing.domain.steps import AlarmKind, Declined, Late, Placed, Step
from sourcing.domain.triggers import AnswerOffer, ExpireOffer, Retry
from testkit.sourcing.builders import (
    Story,
    a_market,
    a_search,
    a_withdrawal,
    facts_about,
    ids_in_order,
    monday,
    provider,
    with_facts,
)


def happened(step: Step) -> list[type]:
    return [type(event) for event in step.events]


def test_the_delivery_starts_the_clock() -> None:
    story = Story(a_market("Alder"), at=monday("16:00")).requested()
    step = story.delivered(at=monday("16:45"))
    assert happened(step) == [OfferClockStarted]
    assert story.live_offer.status is OfferStatus.DELIVERED
    assert story.live_offer.answer_by == monday("16:45").replace(day=13, hour=8)
    assert story.alarm(AlarmKind.OFFER_EXPIRES).at == story.live_offer.answer_by


def test_a_second_delivery_changes_nothing() -> None:
    story = a_search("Alder", at=monday("09:00"))
    assert story.delivered(at=monday("09:10")) == Step(story.search)


def test_an_acceptance_in_time_places_the_package() -> None:
    story = a_search("Alder", at=monday("09:00"))
    step = story.accepts("Alder", at=monday("09:29"))
    assert happened(step) == [OfferAccepted, PackagePlaced]
    assert story.known.status is SearchStatus.PLACED
    placement = story.known.placement
    assert placement is not None
    assert step.outcome == Placed(placement)
    assert (placement.provider_id, placement.weekly_hours) == (provider("Alder"), Decimal("10.00"))
    assert placement.placed_at == monday("09:29")
    assert story.alarms == {}


def test_an_acceptance_at_a_quarter_to_eight_in_the_evening_places_the_package() -> None:
    story = a_search("Alder", at=monday("16:45"))
    story.accepts("Alder", at=monday("19:45"))
    assert story.known.status is SearchStatus.PLACED


def test_an_acceptance_before_the_delivery_is_known_proves_it_and_counts() -> None:
    story = Story(a_market("Alder")).requested()
    offer = story.live_offer
    story.accepts("Alder")
    assert story.known.status is SearchStatus.PLACED
    assert story.alarms == {}
    assert story.known.offer(offer.offer_id) is not None


def test_a_microsecond_before_the_end_is_in_time_and_the_end_itself_is_late() -> None:
    in_time = a_search("Alder", at=monday("09:00"))
    in_time.accepts("Alder", at=monday("09:29:59.999999"))
    assert in_time.known.status is SearchStatus.PLACED
    late = a_search("Alder", at=monday("09:00"))
    late.accepts("Alder", at=monday("09:30"))
    assert late.known.status is not SearchStatus.PLACED


def test_a_late_answer_ends_the_offer_in_its_own_step_and_the_next_provider_follows() -> None:
    story = a_search("Alder", "Birch", at=monday("09:00"))
    step = story.accepts("Alder", at=monday("09:30"))
    assert happened(step) == [OfferExpired, LateAnswerRefused]
    assert step.outcome == Late(LateReason.AFTER_THE_END)
    assert story.live_offer.provider_id == provider("Birch")


def test_every_late_answer_is_recorded_whatever_it_says() -> None:
    story = a_search("Alder", "Birch", at=monday("09:00"))
    story.rings(AlarmKind.OFFER_EXPIRES)
    for answer in (Accept(), Accept(), Decline(DeclineReason.RISK)):
        step = story.answers("Alder", answer, at=monday("09:40"))
        assert happened(step) == [LateAnswerRefused]
        assert step.outcome == Late(LateReason.AFTER_THE_END)


def test_the_time_to_answer_runs_out_by_the_alarm() -> None:
    story = a_search("Alder", "Birch", at=monday("09:00"))
    step = story.rings(AlarmKind.OFFER_EXPIRES)
    assert happened(step) == [OfferExpired]
    assert story.live_offer.provider_id == provider("Birch")


def test_an_alarm_that_comes_too_early_or_for_another_offer_expires_nothing() -> None:
    story = a_search("Alder", at=monday("09:00"))
    assert story.happens(ExpireOffer(story.live_offer.offer_id), at=monday("09:29")) == Step(story.search)
    assert story.happens(ExpireOffer(OfferId(UUID(int=99))), at=monday("09:30")) == Step(story.search)


def test_an_offer_that_was_accepted_does_not_expire() -> None:
    story = a_search("Alder", at=monday("09:00"))
    offer = story.live_offer
    story.accepts("Alder")
    assert story.happens(ExpireOffer(offer.offer_id), at=monday("09:30")) == Step(story.search)


def test_an_undelivered_offer_does_not_expire() -> None:
    story = Story(a_market("Alder")).requested()
    assert story.happens(ExpireOffer(story.live_offer.offer_id), at=monday("16:00")) == Step(story.search)


def test_a_decline_is_recorded_with_its_reason_and_its_note() -> None:
    story = a_search("Alder")
    note = NoteId(UUID(int=7))
    step = story.answers("Alder", Decline(DeclineReason.TOO_FAR, note))
    (declined,) = step.events
    assert isinstance(declined, OfferDeclined)
    assert (declined.reason, declined.note_id) == (DeclineReason.TOO_FAR, note)
    assert step.outcome == Declined(declined.offer_id)


def test_the_same_acceptance_again_gets_the_same_response_and_places_nothing_twice() -> None:
    story = a_search("Alder")
    first = story.accepts("Alder")
    assert story.accepts("Alder") == Step(story.search, outcome=first.outcome)


def test_the_same_decline_again_gets_the_same_response_whatever_note_comes_with_it() -> None:
    story = a_search("Alder", "Birch")
    first = story.answers("Alder", Decline(DeclineReason.RISK, NoteId(UUID(int=1))))
    again = story.answers("Alder", Decline(DeclineReason.RISK, NoteId(UUID(int=2))))
    assert again == Step(story.search, outcome=first.outcome)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(Accept(), Decline(DeclineReason.RISK), id="a decline after the acceptance"),
        pytest.param(Decline(DeclineReason.RISK), Accept(), id="an acceptance after the decline"),
        pytest.param(Decline(DeclineReason.RISK), Decline(DeclineReason.OTHER), id="another reason"),
    ],
)
def test_another_answer_than_the_first_is_recorded_and_refused(
    first: Accept | Decline, second: Accept | Decline
) -> None:
    story = a_search("Alder", "Birch")
    story.answers("Alder", first)
    before = story.known.status
    step = story.answers("Alder", second)
    assert step.outcome == Late(LateReason.ALREADY_ANSWERED)
    (refused,) = step.events
    assert isinstance(refused, LateAnswerRefused)
    assert refused.answer is (Answer.ACCEPT if second == Accept() else Answer.DECLINE)
    assert story.known.status is before


def test_an_answer_to_a_withdrawn_offer_is_recorded_and_refused() -> None:
    story = a_search("Alder")
    story.happens(a_withdrawal())
    step = story.accepts("Alder")
    assert happened(step) == [LateAnswerRefused]
    assert step.outcome == Late(LateReason.WITHDRAWN)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(facts_about("Alder", embargoed=True), PassOverReason.EMBARGOED, id="embargo"),
        pytest.param(
            facts_about("Alder", against=(PassOverReason.RATING_BELOW_FLOOR,)),
            PassOverReason.RATING_BELOW_FLOOR,
            id="rating",
        ),
    ],
)
def test_a_provider_that_lost_its_right_is_refused_at_the_award_and_the_next_follows(
    facts: ProviderFacts, reason: PassOverReason
) -> None:
    story = a_search("Alder", "Birch")
    story.market = with_facts(story.market, facts)
    step = story.accepts("Alder")
    assert happened(step) == [OfferWithdrawn, LateAnswerRefused]
    assert step.outcome == Late(LateReason.NO_LONGER_ELIGIBLE, (reason,))
    assert story.live_offer.provider_id == provider("Birch")


def test_the_same_acceptance_again_after_such_a_refusal_gets_the_same_response() -> None:
    story = a_search("Alder", "Birch")
    story.market = with_facts(story.market, facts_about("Alder", embargoed=True))
    first = story.accepts("Alder")
    story.market = with_facts(story.market, facts_about("Alder"))
    assert story.accepts("Alder") == Step(story.search, outcome=first.outcome)


def test_an_embargo_does_not_call_a_live_offer_back() -> None:
    story = a_search("Alder")
    story.market = with_facts(story.market, facts_about("Alder", embargoed=True))
    story.happens(Retry())
    assert story.live_offer.provider_id == provider("Alder")


def test_capacity_and_service_type_do_not_count_at_the_award() -> None:
    story = a_search("Alder")
    story.market = with_facts(
        story.market, facts_about("Alder", free_hours=Decimal(0), service_types=[ServiceType.LIVE_IN])
    )
    story.accepts("Alder")
    assert story.known.status is SearchStatus.PLACED


def test_another_providers_offer_and_an_unknown_one_are_not_found() -> None:
    story = a_search("Alder", "Birch")
    with pytest.raises(OfferNotFound):
        story.happens(AnswerOffer(story.live_offer.offer_id, provider("Birch"), Accept()))
    with pytest.raises(OfferNotFound):
        story.happens(AnswerOffer(OfferId(UUID(int=99)), provider("Alder"), Accept()))


def test_an_offer_of_a_package_that_nobody_asked_for_is_not_found() -> None:
    order = AnswerOffer(OfferId(UUID(int=1)), provider("Alder"), Accept())
    with pytest.raises(OfferNotFound):
        decide(None, order, market=a_market(), at=monday("09:00"), new_id=ids_in_order())
