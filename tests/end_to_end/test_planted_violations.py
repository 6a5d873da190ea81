"""A good recording has no violation; each kind that is planted in it is found, and named."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from contracts.events.base import ProviderEvent
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived
from contracts.events.orders import PurchaseOrderIssued, SpotPriceApproved
from contracts.events.packages import (
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    PlacementVoided,
    ProviderPassedOver,
    SourcingHeld,
    SourcingStopped,
    StageEntered,
    WithdrawalRequested,
)
from contracts.events.providers import CapacityDeclared, EligibilityChanged, ProviderEmbargoed, RatingPublished
from contracts.examples import an_example_of, an_id
from contracts.values import PassOverReason, Rating
from judge import Evidence, find_violations, verify_chains
from testkit.judge_records import (
    ALDER,
    BIRCH,
    CEDAR,
    EIGHT,
    ELM,
    FIRST_OFFICER,
    GORSE,
    OPEN_TO_ALL,
    Teller,
    Told,
    a_good_recording,
    a_list,
    a_receipt,
    changed,
    evidence,
    moved,
    on_kafka,
    placed_by_offer,
    placed_from_open_list,
    selected_terms,
    the_market,
    without,
)
from testkit.topics import Kept

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
GOOD: Final = a_good_recording()
DEARER: Final = selected_terms().model_copy(update={"rate": Decimal("25.70")})


def test_a_good_recording_has_no_violation() -> None:
    seen = evidence(GOOD)
    assert find_violations(seen) == []
    assert verify_chains(seen.records)


def test_one_officer_is_enough_at_exactly_the_ceiling() -> None:
    assert find_violations(evidence([*the_market(), *placed_from_open_list(rate="29.00", second=None)])) == []


def market_with(*more: Told) -> list[Told]:
    return [*the_market(), *more, *placed_by_offer()]


def in_the_market(model: type[ProviderEvent], provider: object, **said: object) -> Told:
    return Told(an_example_of(model, provider_id=provider, **said), EIGHT + MINUTE)


def asked_out_of_order() -> list[Told]:
    tell = Teller(an_id("another"))
    ranking = tell.enters("tier-1", 1, ALDER, BIRCH, CEDAR)
    passed = tell.passes_over(ALDER, PassOverReason.EMBARGOED)
    return [*the_market(), *tell.begins(), ranking, passed, *tell.offers("tier-1", CEDAR)]


def offered_although_embargoed() -> list[Told]:
    tell = Teller(an_id("another"))
    ranking = tell.enters("tier-1", 1, ALDER, BIRCH, CEDAR)
    return [*the_market(), *tell.begins(), ranking, *tell.offers("tier-1", ALDER)]


def left_before_its_end() -> list[Told]:
    tell = Teller(an_id("another"))
    ranking = tell.enters("tier-1", 1, ALDER, BIRCH, CEDAR)
    passed = tell.passes_over(ALDER, PassOverReason.EMBARGOED)
    return [*the_market(), *tell.begins(), ranking, passed, tell.enters("tier-2", 2, ELM)]


def placed_again() -> list[Told]:
    return [*GOOD, *Teller(OPEN_TO_ALL, GOOD[-1].at).accepts("tier-1", BIRCH)[1:2]]


def said_later(event: object, package: object) -> list[Told]:
    return [*GOOD, Told(an_example_of(event, package_id=package), GOOD[-1].at)]  # pyright: ignore


def expired_early() -> list[Told]:
    told = [each for each in GOOD if not isinstance(each.event, OfferDeclined)]
    at = next(position for position, each in enumerate(told) if isinstance(each.event, OfferClockStarted))
    clock = told[at].event
    assert isinstance(clock, OfferClockStarted)
    expired = an_example_of(
        OfferExpired, package_id=clock.package_id, offer_id=clock.offer_id, provider_id=clock.provider_id
    )
    return [*told[: at + 1], Told(expired, told[at].at + 29 * MINUTE), *told[at + 1 :]]


def offered_at_night() -> list[Told]:
    """Everything of the package, twelve hours later."""
    late = [replace(each, at=each.at + 12 * HOUR) for each in placed_by_offer()]
    return [*the_market(), *late]


PLANTED: Final[dict[str, tuple[Sequence[Told], str]]] = {
    "a second placement": (placed_again(), "placed 2 times"),
    "another order than the list's": (asked_out_of_order(), "not in the order of the list"),
    "a list that was never published": (
        [
            *the_market(),
            Told(a_list(1, BIRCH, CEDAR).model_copy(update={"list_version": 2}), EIGHT),
            *placed_by_offer(),
        ],
        "did not work through the list that was live",
    ),
    "a stage that was left too soon": (left_before_its_end(), "a stage was left"),
    "a false reason": (
        changed(GOOD, ProviderPassedOver, reasons=(PassOverReason.NO_CAPACITY,)),
        "was passed over for ['declared capacity",
    ),
    "a reason that was kept quiet": (
        market_with(in_the_market(RatingPublished, ALDER, rating=Rating.INADEQUATE)),
        "was passed over for ['embargoed']",
    ),
    "an offer to an embargoed provider": (offered_although_embargoed(), "was offered the package"),
    "an offer beyond capacity": (
        market_with(in_the_market(CapacityDeclared, BIRCH, free_hours=Decimal(3), declared_at=EIGHT + MINUTE)),
        "declared capacity is less",
    ),
    "an offer below the floor": (
        market_with(in_the_market(RatingPublished, BIRCH, rating=Rating.REQUIRES_IMPROVEMENT)),
        "rating below the tier's floor",
    ),
    "an offer of what is not offered": (
        market_with(in_the_market(EligibilityChanged, BIRCH, memberships=(), service_types=())),
        "does not offer this service type",
    ),
    "a placement with whom an embargo bars": (
        [*the_market(), *placed_by_offer()[:-3], in_the_market(ProviderEmbargoed, CEDAR), *placed_by_offer()[-3:]],
        "held at the award",
    ),
    "an offer at night": (offered_at_night(), "when the brokerage is closed"),
    "a wrong deadline": (
        changed(GOOD, OfferClockStarted, answer_by=EIGHT + 2 * HOUR),
        "can be answered until",
    ),
    "a clock that started without a delivery": (without(GOOD, OfferDelivered), "started without a delivery"),
    "an answer after its end": (moved(GOOD, OfferAccepted, HOUR), "it had ended"),
    "an expiry before its time": (expired_early(), "expired at"),
    "a wrong price": (changed(GOOD, OfferMade, terms=DEARER), "is made at"),
    "a placement at another price": (changed(GOOD, PackagePlaced, terms=DEARER), "other terms than what was agreed"),
    "an order at another price": (
        changed(GOOD, PurchaseOrderIssued, weekly_cost=Decimal("1.00")),
        "is not at the price of its placement",
    ),
    "a placement without an order": (without(GOOD, PurchaseOrderIssued), "orders for []"),
    "one officer above the ceiling": (
        [*the_market(), *placed_from_open_list(second=None)],
        "alone awarded it",
    ),
    "the same officer twice": (
        [*the_market(), *placed_from_open_list(second=FIRST_OFFICER)],
        "alone awarded it",
    ),
    "a second officer who approved nothing": (without(GOOD, SpotPriceApproved), "has approved no price"),
    "a ceiling of one's own": (changed(GOOD, PackageListed, ceiling=Decimal("35.00")), "listed with the ceiling"),
    "an award of what nobody proposed": (
        changed(GOOD, ProposalAwarded, proposal_id=an_id("no proposal")),
        "was awarded, and does not stand",
    ),
    "a proposal that is added up wrongly": (
        changed(GOOD, ProposalReceived, terms=DEARER),
        "comes to",
    ),
    "a withdrawal that nobody answers": (said_later(WithdrawalRequested, OPEN_TO_ALL), "answered 0 times"),
    "placed and stopped": (said_later(SourcingStopped, OPEN_TO_ALL), "both placed and stopped"),
    "an order that outlives its placement": (said_later(PlacementVoided, OPEN_TO_ALL), "were voided"),
    "a package that nobody requested": (without(GOOD, PackageRequested), "nobody has requested it"),
    "a stage without its candidates": (changed(GOOD, StageEntered, candidates=()), "not in the order of the list"),
}


@pytest.mark.parametrize(("told", "named"), PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_violation_is_named(told: Sequence[Told], named: str) -> None:
    assert any(named in found for found in find_violations(evidence(told)))


def broken_hash(records: list[Kept]) -> list[Kept]:
    return [replace(each, value=each.value + b" ") if each is records[-1] else each for each in records]


def missing_version(records: list[Kept]) -> list[Kept]:
    return [each for each in records if each is not records[-3]]


def other_bytes(records: list[Kept]) -> list[Kept]:
    return [*records, replace(records[-1], value=records[-1].value + b" ")]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (broken_hash, "does not have the hash of its bytes"),
        (missing_version, "stands where"),
        (other_bytes, "was repeated with other bytes"),
    ],
)
def test_a_spoilt_record_is_named(spoil: Callable[[list[Kept]], list[Kept]], named: str) -> None:
    seen = evidence(GOOD)
    spoilt = replace(seen, records=spoil(list(seen.records)))
    assert any(named in found for found in find_violations(spoilt))
    assert not verify_chains(spoilt.records)


def received(*receipts: dict[str, object]) -> Evidence:
    seen = evidence(GOOD)
    return replace(seen, receipts=[*seen.receipts, *receipts])


OFFER_TO_CEDAR: Final = Teller(placed_by_offer()[0].event.package_id).offer_to(CEDAR)  # pyright: ignore


@pytest.mark.parametrize(
    ("receipt", "named"),
    [
        (a_receipt(BIRCH, offer_id=OFFER_TO_CEDAR), "about offer"),
        (a_receipt(ELM, package_id=placed_by_offer()[0].event.key), "about package"),
        ({**a_receipt(GORSE, offer_id=OFFER_TO_CEDAR), "provider_id": str(CEDAR), "verified": False}, "not signed"),
        (a_receipt(GORSE, reference=an_id("reference"), body=f"of {OPEN_TO_ALL}"), "names the package"),
        (a_receipt(GORSE, reference=an_id("no list")), "which is on no list"),
        (a_receipt(an_id("nobody"), reference=an_id("reference")), "who is not there"),
    ],
)
def test_a_webhook_gone_astray_is_named(receipt: dict[str, object], named: str) -> None:
    assert any(named in found for found in find_violations(received(receipt)))


def test_a_delivery_that_nobody_received_is_named() -> None:
    assert any("nobody received it" in found for found in find_violations(replace(evidence(GOOD), receipts=[])))


HELD: Final = [
    *the_market(),
    *Teller(an_id("held")).begins(),
    Told(an_example_of(SourcingHeld, package_id=an_id("held")), EIGHT + 2 * HOUR),
]
UNDER_WAY: Final = [*the_market(), *placed_by_offer()[:7]]


def open_with(told: Sequence[Told], status: str, *, on_list: bool, later: timedelta = timedelta(0)) -> list[str]:
    seen = evidence(told)
    key = told[-1].event.key
    work_list = frozenset({key}) if on_list else frozenset[str]()
    return find_violations(replace(seen, statuses={key: status}, work_list=work_list, now=seen.now + later))


def test_whoever_is_held_stands_on_the_work_list() -> None:
    assert open_with(HELD, "held", on_list=True) == []
    assert any("not on the work list" in found for found in open_with(HELD, "held", on_list=False))


def test_whoever_is_searched_for_waits_for_an_instant_to_come() -> None:
    assert open_with(UNDER_WAY, "running", on_list=False) == []
    forgotten = open_with(UNDER_WAY, "running", on_list=False, later=HOUR)
    assert any("should have expired" in found for found in forgotten)


def test_everything_that_was_ever_open_is_known_to_sourcing() -> None:
    assert any("open by the record" in found for found in open_with(UNDER_WAY, "placed", on_list=False))


def test_a_parked_key_is_named() -> None:
    parked = Kept("homecare.parked.v1", 0, 0, "somebody", [], b"{}")
    seen = evidence(GOOD)
    assert any("was parked" in found for found in find_violations(replace(seen, records=[*seen.records, parked])))


def test_the_recording_is_the_same_each_time() -> None:
    assert on_kafka(GOOD) == on_kafka(a_good_recording())
