"""The seed determines the behaviour of every provider, in any order of calls."""

from collections import Counter
from datetime import date
from uuid import UUID, uuid5

from contracts.example_words import Routes
from simulator.behaviour import (
    BEHAVIOUR_WEIGHTS,
    BehaviourKind,
    OfferAnswer,
    WebhookReaction,
    draw_behaviour,
    draw_behaviour_kind,
    draw_call_outcome,
)
from simulator.council import build_referral
from simulator.person_factory import PersonFactory

PROVIDER = UUID("0197a3c0-0000-7000-8000-000000000001")
OFFERS = [uuid5(PROVIDER, str(number)) for number in range(2_000)]


def test_the_behaviour_for_a_provider_and_offer_is_always_the_same() -> None:
    forwards = [draw_behaviour(1, PROVIDER, offer) for offer in OFFERS]
    backwards = [draw_behaviour(1, PROVIDER, offer) for offer in reversed(OFFERS)]
    assert forwards == backwards[::-1]


def test_another_seed_gives_other_behaviour() -> None:
    assert [draw_behaviour_kind(1, PROVIDER, offer) for offer in OFFERS] != [
        draw_behaviour_kind(2, PROVIDER, offer) for offer in OFFERS
    ]


def test_every_kind_of_behaviour_is_drawn() -> None:
    assert set(Counter(draw_behaviour_kind(1, PROVIDER, offer) for offer in OFFERS)) == set(BEHAVIOUR_WEIGHTS)


def test_declines_have_a_reason_and_acceptances_have_none() -> None:
    for offer in OFFERS:
        behaviour = draw_behaviour(1, PROVIDER, offer)
        assert (behaviour.decline_reason is not None) == (behaviour.answer is OfferAnswer.DECLINE)


def test_a_provider_that_fails_first_acknowledges_later_and_one_that_is_down_never_does() -> None:
    stumbling = next(offer for offer in OFFERS if draw_behaviour_kind(1, PROVIDER, offer) is BehaviourKind.FAILS_FIRST)
    down = next(offer for offer in OFFERS if draw_behaviour_kind(1, PROVIDER, offer) is BehaviourKind.DOWN)

    assert draw_behaviour(1, PROVIDER, stumbling).get_reaction(attempt=1) is WebhookReaction.ERROR
    assert draw_behaviour(1, PROVIDER, stumbling).get_reaction(attempt=3) is WebhookReaction.ACKNOWLEDGED
    assert draw_behaviour(1, PROVIDER, down).get_reaction(attempt=1_000) is WebhookReaction.CONNECTION_CUT


def test_only_calls_that_reach_the_provider_have_an_answer() -> None:
    outcomes = [draw_call_outcome(1, offer, attempt=1) for offer in OFFERS]
    assert {outcome.reached for outcome in outcomes} == {True, False}
    assert all(outcome.answer is OfferAnswer.NEVER for outcome in outcomes if not outcome.reached)


def test_most_referrals_are_urgent_so_that_something_happens_at_any_hour() -> None:
    people = PersonFactory({"E07000071": ("CO1 1AA",)}, seed=1)
    referrals = [build_referral(people.create_person(number), today=date(2026, 1, 12), seed=1) for number in range(200)]
    urgent = [each for each in referrals if each.route == Routes.HOSPITAL_DISCHARGE]
    assert 160 < len(urgent) < 200


def test_a_referral_can_be_asked_to_be_routine() -> None:
    person = PersonFactory({"E07000071": ("CO1 1AA",)}, seed=1).create_person(3)
    assert build_referral(person, today=date(2026, 1, 12), seed=1, urgent=False).route == Routes.COMMUNITY
