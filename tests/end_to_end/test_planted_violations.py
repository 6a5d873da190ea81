"""The judge finds no violation in valid events, and finds every violation of the rules that is planted in them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

import pytest

from contracts.events.base import ProviderEvent
from contracts.events.listings import PackageListed, ProposalAwarded, ProposalReceived
from contracts.events.offers import (
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferMade,
)
from contracts.events.orders import PurchaseOrderIssued, SpotPriceApproved
from contracts.events.packages import PackageRequested, WithdrawalRequested
from contracts.events.providers import CapacityDeclared, EligibilityChanged, ProviderEmbargoed, RatingPublished
from contracts.events.searches import PackagePlaced, PlacementVoided, ProviderPassedOver, SourcingStopped, StageEntered
from contracts.example_words import ServiceTypes, Tiers
from contracts.examples import an_example_of, an_id
from contracts.values import PassOverReason, Rating, Terms
from judge import find_violations, verify_chains
from testkit.judge_events import (
    FIRST_OFFICER,
    OPEN_TO_ALL,
    PackageEventBuilder,
    build_offer_events,
    build_open_list_events,
    build_terms_at_selected_rate,
    build_valid_events,
)
from testkit.judge_market import (
    ALDER,
    BIRCH,
    CEDAR,
    EIGHT,
    ELM,
    TimedEvent,
    a_ranked_list,
    build_market_events,
    build_place,
)
from testkit.judge_records import build_evidence, change_event, move_event, remove_event


def _raise_rate(terms: Terms) -> Terms:
    (line,) = terms.lines
    return terms.model_copy(update={"lines": (line.model_copy(update={"rate": Decimal("25.70")}),)})


HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
VALID: Final = build_valid_events()
HIGHER_TERMS: Final = _raise_rate(build_terms_at_selected_rate())


def test_valid_events_have_no_violation() -> None:
    evidence = build_evidence(VALID)
    assert find_violations(evidence) == []
    assert verify_chains(evidence.records)


def test_one_officer_may_award_at_exactly_the_ceiling() -> None:
    assert (
        find_violations(build_evidence([*build_market_events(), *build_open_list_events(rate="29.00", second=None)]))
        == []
    )


def build_market_with(*more: TimedEvent) -> list[TimedEvent]:
    return [*build_market_events(), *more, *build_offer_events()]


def build_market_event(model: type[ProviderEvent], provider: object, **fields: object) -> TimedEvent:
    return TimedEvent(an_example_of(model, provider_id=provider, **fields), EIGHT + MINUTE)


def build_offer_out_of_order() -> list[TimedEvent]:
    builder = PackageEventBuilder(an_id("another"))
    ranking = builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR)
    passed = builder.pass_over(ALDER, PassOverReason.EMBARGOED)
    return [*build_market_events(), *builder.start_sourcing(), ranking, passed, *builder.make_offer("tier-1", CEDAR)]


def build_offer_to_embargoed_provider() -> list[TimedEvent]:
    builder = PackageEventBuilder(an_id("another"))
    ranking = builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR)
    return [*build_market_events(), *builder.start_sourcing(), ranking, *builder.make_offer("tier-1", ALDER)]


def build_stage_left_early() -> list[TimedEvent]:
    builder = PackageEventBuilder(an_id("another"))
    ranking = builder.enter_stage("tier-1", Tiers.ONE, ALDER, BIRCH, CEDAR)
    passed = builder.pass_over(ALDER, PassOverReason.EMBARGOED)
    return [
        *build_market_events(),
        *builder.start_sourcing(),
        ranking,
        passed,
        builder.enter_stage("tier-2", Tiers.TWO, ELM),
    ]


def build_second_placement() -> list[TimedEvent]:
    return [*VALID, *PackageEventBuilder(OPEN_TO_ALL, VALID[-1].at).accept("tier-1", BIRCH)[1:2]]


def append_event(event: object, package: object) -> list[TimedEvent]:
    return [*VALID, TimedEvent(an_example_of(event, package_id=package), VALID[-1].at)]  # pyright: ignore


def build_early_expiry() -> list[TimedEvent]:
    events = [each for each in VALID if not isinstance(each.event, OfferDeclined)]
    at = next(position for position, each in enumerate(events) if isinstance(each.event, OfferClockStarted))
    clock = events[at].event
    assert isinstance(clock, OfferClockStarted)
    expired = an_example_of(
        OfferExpired, package_id=clock.package_id, offer_id=clock.offer_id, provider_id=clock.provider_id
    )
    return [*events[: at + 1], TimedEvent(expired, events[at].at + 29 * MINUTE), *events[at + 1 :]]


def build_offer_at_night() -> list[TimedEvent]:
    """Moves all events of the package twelve hours later."""
    events = [replace(event, at=event.at + 12 * HOUR) for event in build_offer_events()]
    return [*build_market_events(), *events]


PLANTED_VIOLATIONS: Final[dict[str, tuple[Sequence[TimedEvent], str]]] = {
    "a second placement": (build_second_placement(), "placed 2 times"),
    "an order other than that of the list": (build_offer_out_of_order(), "not in the order of the list"),
    "a list that was never published": (
        [
            *build_market_events(),
            TimedEvent(a_ranked_list(Tiers.ONE, BIRCH, CEDAR).model_copy(update={"list_version": 2}), EIGHT),
            *build_offer_events(),
        ],
        "did not work through the list that was live",
    ),
    "a stage that was left too soon": (build_stage_left_early(), "a stage was left"),
    "a false reason": (
        change_event(VALID, ProviderPassedOver, reasons=(PassOverReason.NO_CAPACITY,)),
        "was passed over for ['declared capacity",
    ),
    "a missing reason": (
        build_market_with(build_market_event(RatingPublished, ALDER, rating=Rating.INADEQUATE)),
        "was passed over for ['embargoed']",
    ),
    "an offer to an embargoed provider": (build_offer_to_embargoed_provider(), "was offered the package"),
    "an offer beyond capacity": (
        build_market_with(
            build_market_event(CapacityDeclared, BIRCH, free_hours=Decimal(3), declared_at=EIGHT + MINUTE)
        ),
        "declared capacity is less",
    ),
    "an offer below the floor": (
        build_market_with(build_market_event(RatingPublished, BIRCH, rating=Rating.REQUIRES_IMPROVEMENT)),
        "rating below the tier's floor",
    ),
    "an offer of a service type that the provider does not have": (
        build_market_with(
            build_market_event(
                EligibilityChanged,
                BIRCH,
                places=(build_place(Tiers.ONE, service_types=(ServiceTypes.LIVE_IN,)),),
            )
        ),
        "does not offer this service type",
    ),
    "a placement with an embargoed provider": (
        [
            *build_market_events(),
            *build_offer_events()[:-3],
            build_market_event(ProviderEmbargoed, CEDAR),
            *build_offer_events()[-3:],
        ],
        "held at the award",
    ),
    "an offer at night": (build_offer_at_night(), "when the brokerage is closed"),
    "a wrong deadline": (
        change_event(VALID, OfferClockStarted, answer_by=EIGHT + 2 * HOUR),
        "can be answered until",
    ),
    "a clock that started without a delivery": (remove_event(VALID, OfferDelivered), "started without a delivery"),
    "an answer after its end": (move_event(VALID, OfferAccepted, HOUR), "after its end at"),
    "an expiry before its time": (build_early_expiry(), "expired at"),
    "a wrong price": (change_event(VALID, OfferMade, terms=HIGHER_TERMS), "is made at"),
    "a placement at another price": (
        change_event(VALID, PackagePlaced, terms=HIGHER_TERMS),
        "differs from the agreed terms",
    ),
    "an order at another price": (
        change_event(VALID, PurchaseOrderIssued, weekly_cost=Decimal("1.00")),
        "is not at the price of its placement",
    ),
    "a placement without an order": (remove_event(VALID, PurchaseOrderIssued), "orders for []"),
    "one officer above the ceiling": (
        [*build_market_events(), *build_open_list_events(second=None)],
        "was awarded by",
    ),
    "the same officer twice": (
        [*build_market_events(), *build_open_list_events(second=FIRST_OFFICER)],
        "was awarded by",
    ),
    "a second officer who approved nothing": (remove_event(VALID, SpotPriceApproved), "has not approved its price"),
    "a ceiling other than that of the definition": (
        change_event(VALID, PackageListed, ceiling=Decimal("35.00")),
        "listed with the ceiling",
    ),
    "an award without a proposal": (
        change_event(VALID, ProposalAwarded, proposal_id=an_id("no proposal")),
        "was awarded but is not valid",
    ),
    "a proposal with a wrong weekly cost": (
        change_event(VALID, ProposalReceived, terms=HIGHER_TERMS),
        "comes to",
    ),
    "a withdrawal without an outcome": (append_event(WithdrawalRequested, OPEN_TO_ALL), "answered 0 times"),
    "placed and stopped": (append_event(SourcingStopped, OPEN_TO_ALL), "both placed and stopped"),
    "an order that outlives its placement": (append_event(PlacementVoided, OPEN_TO_ALL), "were voided"),
    "a package without a request": (remove_event(VALID, PackageRequested), "it has no PackageRequested"),
    "a stage without its candidates": (
        change_event(VALID, StageEntered, candidates=()),
        "not in the order of the list",
    ),
}


@pytest.mark.parametrize(("events", "message"), PLANTED_VIOLATIONS.values(), ids=PLANTED_VIOLATIONS.keys())
def test_a_planted_violation_is_found(events: Sequence[TimedEvent], message: str) -> None:
    assert any(message in violation for violation in find_violations(build_evidence(events)))
