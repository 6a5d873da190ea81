"""A seed decides how everybody behaves, however often and in whichever order they are asked."""

from collections import Counter
from datetime import date
from uuid import UUID, uuid5

from contracts.values import Urgency
from simulator.behaviour import (
    WEIGHTS,
    Answering,
    Manner,
    Receipt,
    behaviour_of,
    call_outcome,
    manner_of,
)
from simulator.council import referral_for
from simulator.people import People

PROVIDER = UUID("0197a3c0-0000-7000-8000-000000000001")
OFFERS = [uuid5(PROVIDER, str(number)) for number in range(2_000)]


def test_the_same_provider_and_offer_meet_with_the_same_behaviour() -> None:
    forwards = [behaviour_of(1, PROVIDER, offer) for offer in OFFERS]
    backwards = [behaviour_of(1, PROVIDER, offer) for offer in reversed(OFFERS)]
    assert forwards == backwards[::-1]


def test_another_seed_tells_another_story() -> None:
    assert [manner_of(1, PROVIDER, offer) for offer in OFFERS] != [manner_of(2, PROVIDER, offer) for offer in OFFERS]


def test_every_manner_is_met() -> None:
    assert set(Counter(manner_of(1, PROVIDER, offer) for offer in OFFERS)) == set(WEIGHTS)


def test_who_declines_gives_a_reason_and_who_accepts_gives_none() -> None:
    for offer in OFFERS:
        behaviour = behaviour_of(1, PROVIDER, offer)
        assert (behaviour.decline_reason is not None) == (behaviour.answering is Answering.DECLINE)


def test_who_stumbles_takes_the_webhook_in_the_end_and_who_is_down_never_does() -> None:
    stumbling = next(offer for offer in OFFERS if manner_of(1, PROVIDER, offer) is Manner.STUMBLES)
    down = next(offer for offer in OFFERS if manner_of(1, PROVIDER, offer) is Manner.DOWN)

    assert behaviour_of(1, PROVIDER, stumbling).receipt_of(attempt=1) is Receipt.ERROR
    assert behaviour_of(1, PROVIDER, stumbling).receipt_of(attempt=3) is Receipt.TAKEN
    assert behaviour_of(1, PROVIDER, down).receipt_of(attempt=1_000) is Receipt.CUT


def test_calls_reach_somebody_or_nobody_and_only_then_carry_an_answer() -> None:
    outcomes = [call_outcome(1, offer, attempt=1) for offer in OFFERS]
    assert {outcome.reached for outcome in outcomes} == {True, False}
    assert all(outcome.answering is Answering.NEVER for outcome in outcomes if not outcome.reached)


def test_most_referrals_are_urgent_so_that_something_happens_at_any_hour() -> None:
    people = People({"E07000071": ("CO1 1AA",)}, seed=1)
    referrals = [referral_for(people.person(number), today=date(2026, 1, 12), seed=1) for number in range(200)]
    urgent = [each for each in referrals if each.urgency is Urgency.HOSPITAL_DISCHARGE]
    assert 160 < len(urgent) < 200


def test_a_referral_can_be_asked_to_be_routine() -> None:
    person = People({"E07000071": ("CO1 1AA",)}, seed=1).person(3)
    assert referral_for(person, today=date(2026, 1, 12), seed=1, urgent=False).urgency is Urgency.ROUTINE
