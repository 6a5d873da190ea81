"""The judge checks the time to deliver: nobody gives up too soon, and nobody waits for ever."""

from datetime import datetime, timedelta
from typing import Final

import pytest

from contracts.events.offers import OfferRedirected, OfferUndeliverable
from contracts.examples import some_care
from contracts.values import AnswerBy, Channel, Order
from testkit.judge_market import ALDER, build_candidate
from testkit.judge_procedures import NINE, Market, Package

STAGES: Final = (
    "  - {stage: one, procedure: sequential-offers, order: [draw], to: {tiers: [tier-1]}, undeliverable_after: PT5M}\n"
)
MINUTE: Final = timedelta(minutes=1)


def _offer(*, grace: int = 5, at: datetime = NINE, urgent: bool = False) -> Package:
    market = Market(rates={ALDER: "24.00"})
    package = Package(STAGES, market, care=some_care(urgent=urgent), now=at).start()
    package.enter("one", build_candidate(ALDER, 1), order=[Order.DRAW])
    return package.offer(ALDER, deliver_within_minutes=grace)


def _give_up(package: Package, *, first_attempt_at: datetime | None, reason: str = "status 500") -> Package:
    return package.publish(
        OfferUndeliverable,
        offer_id=package.build_offer_id(ALDER),
        provider_id=ALDER,
        channel=Channel.WEBHOOK,
        first_attempt_at=first_attempt_at,
        reason=reason,
    )


def _redirect(package: Package, to: Channel) -> Package:
    return package.publish(
        OfferRedirected,
        offer_id=package.build_offer_id(ALDER),
        provider_id=ALDER,
        from_channel=Channel.WEBHOOK,
        to_channel=to,
        answer_by=AnswerBy(minutes=15 if to is Channel.PHONE else 30, brokerage_time=True),
        deliver_within_minutes=5,
    )


def test_an_offer_counts_as_undeliverable_when_its_grace_is_over() -> None:
    package = _offer().wait(minutes=5)
    _redirect(_give_up(package, first_attempt_at=NINE), Channel.PHONE)
    assert package.wait(hours=2).find_violations(status="running") == []


def test_giving_up_before_the_grace_is_over_is_found() -> None:
    package = _offer().wait(minutes=4, seconds=59)
    assert _finds("before its time", _give_up(package, first_attempt_at=NINE))


def test_the_grace_counts_from_the_first_attempt_and_not_from_the_offer() -> None:
    package = _offer().wait(minutes=5)
    assert _finds("before its time", _give_up(package, first_attempt_at=NINE + MINUTE))


def test_an_offer_that_cannot_be_attempted_is_given_up_at_once() -> None:
    package = _give_up(_offer(), first_attempt_at=None, reason="no endpoint")
    assert _redirect(package, Channel.PHONE).find_violations(status="running") == []


def test_a_grace_other_than_that_of_the_stage_is_found() -> None:
    assert _finds("is to be delivered within 2 minutes, not 5", _offer(grace=2))


@pytest.mark.parametrize(("minutes", "is_found"), [(5, False), (7, False), (8, True), (60, True)])
def test_an_offer_that_stays_undelivered_and_is_not_called_on_is_found(minutes: int, is_found: bool) -> None:
    violations = _offer().wait(minutes=minutes).find_violations(status="running")
    assert any("was not called on" in each for each in violations) is is_found


def test_the_second_channel_has_a_grace_of_its_own() -> None:
    package = _redirect(_give_up(_offer().wait(minutes=5), first_attempt_at=NINE), Channel.EMAIL)
    assert package.wait(minutes=7).find_violations(status="running") == []
    assert any("undelivered by email" in each for each in package.wait(minutes=1).find_violations(status="running"))


def test_a_routine_offer_waits_for_the_opening_and_an_urgent_one_does_not() -> None:
    before_closing = NINE.replace(hour=16, minute=58)
    routine, urgent = _offer(at=before_closing), _offer(at=before_closing, urgent=True)
    assert not _has_waited(routine.wait(hours=1))
    assert not _has_waited(routine.wait(hours=14, minutes=33))
    assert _has_waited(routine.wait(minutes=10))
    assert _has_waited(urgent.wait(hours=1))


def test_a_delivered_offer_is_not_undelivered() -> None:
    package = _offer().deliver(ALDER).wait(minutes=29)
    assert package.find_violations(status="running") == []


def _has_waited(package: Package) -> bool:
    return any("was not called on" in each for each in package.find_violations(status="running"))


def _finds(text: str, package: Package) -> bool:
    found = package.find_violations(status="running")
    assert any(text in each for each in found), found
    return True
