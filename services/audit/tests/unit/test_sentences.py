"""Sentences of events, with names, ranks, reasons, prices and times."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from audit.domain.names import Names, format_instant, join_phrases
from audit.domain.sentences import NARRATIONS, narrate
from contracts.catalogue import CATALOGUE, PACKAGES, PARKED, CatalogueEntry
from contracts.events.base import Event
from contracts.events.listings import PackageListed
from contracts.events.offers import AcceptancesOrdered, OfferClockStarted, OfferDeclined, OfferExtended, OfferMade
from contracts.events.orders import LateDecision, LateDecisionRefused, OrderLine, PurchaseOrderIssued
from contracts.events.packages import PackageRequested
from contracts.events.reasons import ExtensionCause
from contracts.events.searches import ListUsed, PackagePlaced, ProviderPassedOver, StageCandidate, StageEntered
from contracts.example_words import DeclineReasons, PriceRefusals, ServiceTypes, Tiers, Units
from contracts.examples import an_example_of, some_care
from contracts.ids import ItemKey, ProviderId
from contracts.values import Order, PassOverReason, UnitKind, Wishes
from testkit.audit.builders import make_candidate, to_provider_id

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
PROVIDERS_BY_ID = {ALDER: "Alder", BIRCH: "Birch"}
NAMES = Names(PROVIDERS_BY_ID, {("tier-1", ALDER): 1, ("tier-1", BIRCH): 2})
SEED = UUID("00000000-0000-4000-8000-000000000007")
TWO_LINES = tuple(
    OrderLine(
        service_type=ServiceTypes.PERSONAL_CARE,
        item=ItemKey(item),
        unit=unit,
        unit_kind=kind,
        quantity=Decimal(quantity),
        rate=Decimal(rate),
        cost=Decimal(cost),
    )
    for item, unit, kind, quantity, rate, cost in (
        ("on-site-care", Units.WEEK, UnitKind.WEEK, "1.00", "68.32", "68.32"),
        ("care-support", Units.HOUR, UnitKind.HOUR, "7.00", "29.07", "203.49"),
    )
)
PACKAGE_ENTRIES = [entry for entry in CATALOGUE if entry.topic in {PACKAGES, PARKED}]


def _rank(provider_id: ProviderId, rank: int, **grounds: object) -> StageCandidate:
    return make_candidate(provider_id, rank, **grounds)


@pytest.mark.parametrize("entry", PACKAGE_ENTRIES, ids=lambda entry: entry.event.__name__)
def test_every_event_of_a_package_has_a_sentence(entry: CatalogueEntry) -> None:
    assert entry.event in {narration.event for narration in NARRATIONS}
    event = an_example_of(entry.event)
    sentence = narrate(event, Names())
    assert sentence[0].isupper() or sentence.startswith(("provider ", "officer ", "sourcing "))
    assert not sentence.endswith(" happened")
    assert "None" not in sentence
    assert "<" not in sentence
    assert "contracts." not in sentence
    assert not any(f"{name}=" in sentence for name in type(event).model_fields)


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (
            an_example_of(
                ProviderPassedOver,
                provider_id=ALDER,
                rank=1,
                reasons=(PassOverReason.EMBARGOED, PassOverReason.NO_CAPACITY),
            ),
            "Alder (rank 1 of tier 1) was passed over: embargoed and declared capacity is less than the package needs",
        ),
        (
            an_example_of(OfferDeclined, provider_id=BIRCH, reason=DeclineReasons.TOO_FAR),
            "Birch declined: too far",
        ),
        (
            an_example_of(
                StageEntered,
                lists=(ListUsed(tier=Tiers.ONE, list_version=3),),
                seed=None,
                candidates=(_rank(BIRCH, 2), _rank(ALDER, 1)),
            ),
            "The stage tier 1 began by ranked list (version 3 of tier 1): 1 Alder, 2 Birch",
        ),
        (
            an_example_of(
                StageEntered,
                order=(Order.PRICE, Order.ROTATION),
                lists=(),
                seed=SEED,
                candidates=(_rank(ALDER, 1, price=Decimal("84.35")), _rank(BIRCH, 2, price=Decimal("90.00"))),
            ),
            (
                f"The stage tier 1 began by price, then rotation; ties by a draw with the seed {SEED}: "
                "1 Alder (price £84.35), 2 Birch (price £90.00)"
            ),
        ),
        (
            an_example_of(
                AcceptancesOrdered, order=(Order.NUMBER,), seed=None, candidates=(_rank(BIRCH, 1, number=4),)
            ),
            "Those who accepted are considered by number: 1 Birch (number 4)",
        ),
        (an_example_of(AcceptancesOrdered, candidates=()), "Nobody accepted in the stage tier 1"),
        (
            an_example_of(PackageListed, members=False, spot=True, second_officer_always=True),
            "The package was opened to spot providers of the area; every award needs a second officer",
        ),
        (
            an_example_of(
                PurchaseOrderIssued, provider_id=ALDER, lines=TWO_LINES, weekly_cost="271.81", fixed_cost="0"
            ),
            (
                "Purchase order PO-2026-000001 was issued to Alder: 1.00 × £68.32 a week of on site care and "
                "7.00 × £29.07 an hour of care support, £271.81 a week from Mon 2 Mar 2026, by invented-1"
            ),
        ),
        (
            an_example_of(LateDecisionRefused, provider_id=ALDER, refusal=None, reason=LateDecision.DECIDED_OTHERWISE),
            "officer first agreed to the price of Alder, which was not used: another decision stood already",
        ),
        (
            an_example_of(
                LateDecisionRefused,
                provider_id=ALDER,
                refusal=PriceRefusals.TOO_HIGH,
                reason=LateDecision.AWARD_LAPSED,
            ),
            (
                "officer first refused the price of Alder (too high), which was not used: the award waited for nobody "
                "any more"
            ),
        ),
        (
            an_example_of(PackagePlaced, provider_id=BIRCH),
            (
                "The package was placed with Birch (rank 2 of tier 1): 3.50 hours a week of personal care at £24.10 "
                "an hour, £84.35 a week, from Mon 2 Mar 2026"
            ),
        ),
        (
            an_example_of(PackageRequested, care=some_care(), follows=None, wishes=Wishes(refused=(ALDER, BIRCH))),
            (
                "A package was requested: 3.50 hours a week of personal care in CO1 (lot home care, area E07000071), "
                "by the route community, from Mon 9 Mar 2026; the person refuses Alder and Birch"
            ),
        ),
        (
            an_example_of(
                OfferExtended,
                provider_id=ALDER,
                up_at=datetime(2026, 3, 4, 8, 30, tzinfo=UTC),
                answer_by=datetime(2026, 3, 4, 8, 50, tzinfo=UTC),
                cause=ExtensionCause.PROCLAIMED_HOLIDAY,
            ),
            (
                "Alder got more time, until Wed 4 Mar 2026 08:50:00 GMT: a bank holiday was proclaimed, and brokerage "
                "opens on Wed 4 Mar 2026 08:30:00 GMT"
            ),
        ),
        (
            an_example_of(
                OfferClockStarted,
                provider_id=ALDER,
                delivered_at=datetime(2026, 3, 29, 0, 59, tzinfo=UTC),
                answer_by=datetime(2026, 3, 29, 1, 29, tzinfo=UTC),
            ),
            (
                "The offer counts as delivered to Alder since Sun 29 Mar 2026 00:59:00 GMT, and can be answered until "
                "Sun 29 Mar 2026 02:29:00 BST"
            ),
        ),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Event) else "",
)
def test_sentences_contain_names_ranks_reasons_and_prices(event: Event, sentence: str) -> None:
    assert narrate(event, NAMES) == sentence


def test_the_sentence_of_an_offer_contains_price_channel_and_time() -> None:
    sentence = narrate(an_example_of(OfferMade, provider_id=ALDER), NAMES)
    assert sentence.startswith(
        "Alder (rank 1 of tier 1) was offered the package by webhook: 3.50 hours a week at £24.10"
    )
    assert "to be answered before Mon 2 Mar 2026 09:00:00 GMT" in sentence


def test_an_actor_that_used_the_link_of_a_mail_is_distinguished() -> None:
    assert [NAMES.name_actor(f"{kind}:{ALDER}") for kind in ("provider", "link")] == [
        "Alder",
        "Alder (by the link of its mail)",
    ]


def test_instants_and_lists_are_formatted() -> None:
    assert format_instant(datetime(2026, 7, 1, 8, 30, tzinfo=UTC)) == "Wed 1 Jul 2026 09:30:00 BST"
    assert [join_phrases([]), join_phrases(["a"]), join_phrases(["a", "b"]), join_phrases(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
