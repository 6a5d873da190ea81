"""Sentences of events, with names, ranks, reasons, prices and times."""

from datetime import UTC, datetime

import pytest

from audit.domain.names import Names, format_instant, join_phrases
from audit.domain.sentences import NARRATIONS, narrate
from contracts.catalogue import CATALOGUE, PACKAGES, PARKED, CatalogueEntry
from contracts.events.base import Event
from contracts.events.orders import LateDecision, LateDecisionRefused, SpotPriceRefusal
from contracts.events.packages import (
    Candidate,
    OfferClockStarted,
    OfferDeclined,
    OfferExtended,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    ProviderPassedOver,
    StageEntered,
)
from contracts.events.reasons import ExtensionCause
from contracts.examples import an_example_of, some_care
from contracts.values import DeclineReason, PassOverReason, Wishes
from testkit.audit.builders import to_provider_id

ALDER, BIRCH = to_provider_id("Alder"), to_provider_id("Birch")
PROVIDERS_BY_ID = {ALDER: "Alder", BIRCH: "Birch"}
NAMES = Names(PROVIDERS_BY_ID, {("tier-1", ALDER): 1, ("tier-1", BIRCH): 2})
PACKAGE_ENTRIES = [entry for entry in CATALOGUE if entry.topic in {PACKAGES, PARKED}]


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
            an_example_of(OfferDeclined, provider_id=BIRCH, reason=DeclineReason.TOO_FAR),
            "Birch declined: too far to travel",
        ),
        (
            an_example_of(
                StageEntered,
                list_version=3,
                candidates=(Candidate(provider_id=BIRCH, rank=2), Candidate(provider_id=ALDER, rank=1)),
            ),
            "The stage tier 1 began with version 3 of its ranked list: 1 Alder, 2 Birch",
        ),
        (
            an_example_of(LateDecisionRefused, provider_id=ALDER, refusal=None, reason=LateDecision.DECIDED_OTHERWISE),
            "officer first agreed to the price of Alder, which was not used: another decision stood already",
        ),
        (
            an_example_of(
                LateDecisionRefused,
                provider_id=ALDER,
                refusal=SpotPriceRefusal.TOO_HIGH,
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
            an_example_of(PackageRequested, care=some_care(), wishes=Wishes(refused=(ALDER, BIRCH))),
            (
                "A package was requested: 3.50 hours a week of personal care in CO1 (area E07000071), routine, from "
                "Mon 9 Mar 2026; the person refuses Alder and Birch"
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
