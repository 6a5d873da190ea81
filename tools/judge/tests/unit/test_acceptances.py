"""The judge checks stages that ask all: live offers, the deadline, the order of the acceptances, and who is told."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

import pytest

from contracts.events.offers import OfferDeclined, OfferExpired, OfferWithdrawn
from contracts.events.providers import ProviderEmbargoed
from contracts.events.reasons import OfferEnd
from contracts.events.searches import StageCandidate
from contracts.examples import an_example_of, an_id
from contracts.ids import ProviderId
from contracts.values import Order, PassOverReason
from testkit.judge_market import ALDER, BIRCH, CEDAR, ELM, TimedEvent, build_candidate
from testkit.judge_procedures import NINE, Market, Package

TO_ALL: Final = "  - {stage: all, procedure: offer-to-all, to: {tiers: [tier-1]}, deadline: {routine: PT1H30M}}\n"
ONE_BY_ONE: Final = "  - {stage: all, procedure: sequential-offers, order: [draw], to: {tiers: [tier-1]}}\n"
DEADLINE: Final = 90
JOINED: Final = date(2025, 11, 9)
PRICES: Final = {ALDER: "84.00", BIRCH: "77.00", CEDAR: "91.00", ELM: "77.00"}


def _ask_all(
    stages: str = TO_ALL, *, asks_all: bool = True, asked: Sequence[ProviderId] = (ALDER, BIRCH, CEDAR)
) -> Package:
    """Asks providers at nine; Elm is not in the market."""
    package = Package(stages, Market(rates={ALDER: "24.00", BIRCH: "22.00", CEDAR: "26.00"})).start()
    package.enter("all", *(build_candidate(each, rank) for rank, each in enumerate(asked, 1)), seed=None)
    for each in asked:
        package.offer(each, asks_all=asks_all, minutes=DEADLINE)
    for each in asked:
        package.deliver(each, minutes=DEADLINE)
    return package


def _accepted(provider: ProviderId, rank: int, **figures: object) -> StageCandidate:
    return build_candidate(provider, rank, **{"price": PRICES[provider], "joined_on": JOINED, **figures})


def _withdraw(package: Package, provider: ProviderId, reason: OfferEnd, **passed_over: object) -> Package:
    offer = {"offer_id": package.build_offer_id(provider), "provider_id": provider, "reason": reason}
    return package.publish(OfferWithdrawn, **{**offer, "passed_over": (), **passed_over})


def _answer_all(package: Package) -> Package:
    """Alder and Birch accept, Cedar declines, ten minutes later each."""
    package.wait(minutes=10).wait_with_acceptance(ALDER)
    package.wait(minutes=10).wait_with_acceptance(BIRCH)
    return package.wait(minutes=10).publish_decline(CEDAR)


def _award_to_the_cheapest(package: Package) -> Package:
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2)).accept(BIRCH)
    return _withdraw(package, ALDER, OfferEnd.PLACED_WITH_ANOTHER).place(BIRCH)


def test_the_cheapest_of_those_that_accepted_gets_the_package() -> None:
    assert _award_to_the_cheapest(_answer_all(_ask_all())).find_violations() == []


def test_offers_are_live_together_while_their_answers_are_awaited() -> None:
    assert _ask_all().find_violations(status="running") == []


def test_several_live_offers_of_another_procedure_are_found() -> None:
    assert _finds("was live", _ask_all(ONE_BY_ONE, asks_all=False))


def test_a_stage_that_pretends_to_ask_all_is_found() -> None:
    assert _finds("asks all", _ask_all(ONE_BY_ONE, asks_all=True))
    assert _finds("asks one provider", _ask_all(TO_ALL, asks_all=False, asked=(ALDER, BIRCH, CEDAR)))


def test_the_deadline_counts_from_the_asking_and_not_from_the_delivery() -> None:
    package = Package(TO_ALL, Market(rates={ALDER: "24.00"})).start().enter("all", build_candidate(ALDER, 1), seed=None)
    package.offer(ALDER, asks_all=True, minutes=DEADLINE).wait(minutes=1).deliver(ALDER, minutes=DEADLINE)
    assert _finds("can be answered until", package)


def test_an_acceptance_after_the_deadline_is_found() -> None:
    package = _ask_all().wait(minutes=DEADLINE).wait_with_acceptance(ALDER)
    assert _finds("after its end at", package)


def test_a_stage_that_is_closed_while_a_provider_can_still_answer_is_found() -> None:
    package = _ask_all().wait(minutes=10).wait_with_acceptance(ALDER).wait_with_acceptance(BIRCH)
    assert _finds("could still be answered", _award_to_the_cheapest(package))


def test_the_deadline_closes_the_stage_without_the_missing_answers() -> None:
    package = _ask_all().wait(minutes=10).wait_with_acceptance(ALDER).wait_with_acceptance(BIRCH)
    package.wait(minutes=DEADLINE - 10)
    package.publish(OfferExpired, offer_id=package.build_offer_id(CEDAR), provider_id=CEDAR)
    assert _award_to_the_cheapest(package).find_violations() == []


def test_an_award_without_a_recorded_order_is_found() -> None:
    assert _finds("before the acceptances were put in order", _answer_all(_ask_all()).accept(BIRCH).place(BIRCH))


def _award_out_of_order(package: Package) -> Package:
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2)).accept(ALDER)
    return _withdraw(package, BIRCH, OfferEnd.PLACED_WITH_ANOTHER).place(ALDER)


def _order_by_falling_price(package: Package) -> Package:
    package.order_acceptances(_accepted(ALDER, 1), _accepted(BIRCH, 2)).accept(ALDER)
    return _withdraw(package, BIRCH, OfferEnd.PLACED_WITH_ANOTHER).place(ALDER)


def _order_by_another_price(package: Package) -> Package:
    package.order_acceptances(_accepted(ALDER, 1, price="70.00"), _accepted(BIRCH, 2)).accept(ALDER)
    return _withdraw(package, BIRCH, OfferEnd.PLACED_WITH_ANOTHER).place(ALDER)


def _leave_out_who_accepted(package: Package) -> Package:
    return package.order_acceptances(_accepted(BIRCH, 1)).accept(BIRCH).place(BIRCH)


def _tell_the_other_later(package: Package) -> Package:
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2)).accept(BIRCH).place(BIRCH).wait(minutes=1)
    return _withdraw(package, ALDER, OfferEnd.PLACED_WITH_ANOTHER)


def _tell_the_other_nothing(package: Package) -> Package:
    return package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2)).accept(BIRCH).place(BIRCH)


def _tell_the_other_a_wrong_reason(package: Package) -> Package:
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2)).accept(BIRCH)
    return _withdraw(package, ALDER, OfferEnd.PACKAGE_WITHDRAWN).place(BIRCH)


def _order_by_another_rule(package: Package) -> Package:
    candidates = (_accepted(BIRCH, 1), _accepted(ALDER, 2))
    package.order_acceptances(*candidates, order=(Order.ROTATION,)).accept(BIRCH)
    return _withdraw(package, ALDER, OfferEnd.PLACED_WITH_ANOTHER).place(BIRCH)


def _award_to_nobody(package: Package) -> Package:
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2))
    _withdraw(package, ALDER, OfferEnd.PROVIDER_NOT_ELIGIBLE)
    return _withdraw(package, BIRCH, OfferEnd.PROVIDER_NOT_ELIGIBLE)


OUTCOMES: Final[dict[str, tuple[Callable[[Package], Package], str]]] = {
    "an award to the second": (_award_out_of_order, "the first eligible one"),
    "the higher price first": (_order_by_falling_price, "the order is"),
    "a price other than that of the offer": (_order_by_another_price, "its offer costs 84.00"),
    "a provider that accepted and is not considered": (_leave_out_who_accepted, "accepted"),
    "the other told a minute later": (_tell_the_other_later, "was not told in the instant"),
    "the other never told": (_tell_the_other_nothing, "was not told in the instant"),
    "the other told a wrong reason": (_tell_the_other_a_wrong_reason, "although"),
    "an order that is not the definition's": (_order_by_another_rule, "orders the acceptances by"),
    "no award although one is eligible": (_award_to_nobody, "the first eligible one"),
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_a_wrong_outcome_is_found(case: str) -> None:
    change, text = OUTCOMES[case]
    assert _finds(text, change(_answer_all(_ask_all())))


def test_the_next_in_order_gets_it_if_the_first_is_not_eligible_any_more() -> None:
    package = _answer_all(_ask_all())
    package.events.insert(
        0, TimedEvent(an_example_of(ProviderEmbargoed, provider_id=BIRCH), NINE + timedelta(minutes=5))
    )
    package.order_acceptances(_accepted(BIRCH, 1), _accepted(ALDER, 2))
    _withdraw(package, BIRCH, OfferEnd.PROVIDER_NOT_ELIGIBLE, passed_over=(PassOverReason.EMBARGOED,))
    assert package.accept(ALDER).place(ALDER).find_violations() == []


def test_an_acceptance_of_an_offer_that_has_ended_is_found() -> None:
    package = _ask_all().wait(minutes=5)
    package.publish(OfferDeclined, offer_id=package.build_offer_id(ALDER), provider_id=ALDER)
    assert _finds("is not live among several", package.wait_with_acceptance(ALDER))


def test_a_stranger_that_is_asked_is_found() -> None:
    package = Package(TO_ALL).start().enter("all", build_candidate(ProviderId(an_id("Stranger")), 1), seed=None)
    assert _finds("has no place there", package)


def _finds(text: str, package: Package) -> bool:
    found = package.find_violations()
    assert any(text in each for each in found), found
    return True
