"""Every event of a package has its sentence, with names, ranks, reasons, prices and instants in it."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from audit.domain.names import Names, format_instant, join_words
from audit.domain.records import RawRecord, parse_record
from audit.domain.sentences import NARRATIONS, narrate
from audit.domain.story import StoryLine, find_providers, list_events, select_first_occurrences, write_story
from contracts.catalogue import CATALOGUE, PACKAGES, PARKED, CatalogueEntry, encode
from contracts.events.base import Event
from contracts.events.operations import KeyParked
from contracts.events.orders import LateDecision, LateDecisionRefused, SpotPriceRefusal
from contracts.events.packages import (
    Candidate,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    ProviderPassedOver,
    StageEntered,
)
from contracts.examples import an_example_of, some_care
from contracts.values import DeclineReason, PassOverReason, Wishes
from testkit.audit.builders import COUNCIL, PACKAGE, RecordBuilder, make_provider_id, verify

ALDER, BIRCH = make_provider_id("Alder"), make_provider_id("Birch")
PROVIDERS_BY_ID = {ALDER: "Alder", BIRCH: "Birch"}
NAMES = Names(PROVIDERS_BY_ID, {("tier-1", ALDER): 1, ("tier-1", BIRCH): 2})
OF_A_PACKAGE = [entry for entry in CATALOGUE if entry.topic in {PACKAGES, PARKED}]


@pytest.mark.parametrize("entry", OF_A_PACKAGE, ids=lambda entry: entry.event.__name__)
def test_every_event_of_a_package_has_its_sentence(entry: CatalogueEntry) -> None:
    assert entry.event in {telling.event for telling in NARRATIONS}
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
def test_sentences_name_what_an_officer_has_to_know(event: Event, sentence: str) -> None:
    assert narrate(event, NAMES) == sentence


def test_an_offer_tells_price_channel_and_time() -> None:
    sentence = narrate(an_example_of(OfferMade, provider_id=ALDER), NAMES)
    assert sentence.startswith(
        "Alder (rank 1 of tier 1) was offered the package by webhook: 3.50 hours a week at £24.10"
    )
    assert "to be answered before Mon 2 Mar 2026 09:00:00 GMT" in sentence


def test_who_answered_by_the_link_of_a_mail_is_told_apart() -> None:
    assert [NAMES.name_actor(f"{kind}:{ALDER}") for kind in ("provider", "link")] == [
        "Alder",
        "Alder (by the link of its mail)",
    ]


def test_wall_clocks_change_and_sentences_follow() -> None:
    assert format_instant(datetime(2026, 7, 1, 8, 30, tzinfo=UTC)) == "Wed 1 Jul 2026 09:30:00 BST"
    assert [join_words([]), join_words(["a"]), join_words(["a", "b"]), join_words(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def write_lines(records: Iterable[RawRecord]) -> list[StoryLine]:
    rows = select_first_occurrences(verify(map(parse_record, records)), COUNCIL)
    return write_story(rows, Names.from_events(list_events(rows), PROVIDERS_BY_ID))


def test_causes_are_resolved_to_lines_of_the_story() -> None:
    press = RecordBuilder()
    requested = an_example_of(PackageRequested)
    first = press.make_envelope(requested, cause="command:1", actor="system:council-1")
    made = an_example_of(OfferMade, provider_id=ALDER)
    second = press.make_envelope(made, cause=str(first.id))
    declined = an_example_of(OfferDeclined, provider_id=ALDER)
    third = press.make_envelope(declined, cause="command:2", actor=f"provider:{ALDER}")
    placed = an_example_of(PackagePlaced, provider_id=BIRCH)
    fourth = press.make_envelope(placed, cause=f"timer:next-offer-due:{third.id}")
    reached = an_example_of(OfferDelivered, provider_id=ALDER)
    fifth = press.make_envelope(reached, cause="webhook:1")
    pairs = [(first, requested), (second, made), (second, made), (third, declined), (fourth, placed), (fifth, reached)]
    lines = write_lines([press.make_record(*pair) for pair in pairs])

    assert [line.number for line in lines] == [1, 2, 3, 4, 5]
    assert [(line.why.line, line.why.words) for line in lines] == [
        (None, "system council-1 asked for it"),
        (1, "because of line 1"),
        (None, "Alder asked for it"),
        (3, "the timer next offer due was due, which line 3 had armed"),
        (2, "that is what became of the webhook about the offer of line 2"),
    ]
    assert [line.who for line in lines] == ["system council-1", "sourcing", "Alder", "sourcing", "provider-registry"]
    assert all(line.verified for line in lines)


def test_everybody_whom_a_story_mentions_is_looked_up() -> None:
    events = [
        an_example_of(PackageRequested, wishes=Wishes(refused=(ALDER,))),
        an_example_of(StageEntered, candidates=(Candidate(provider_id=BIRCH, rank=1),)),
        an_example_of(OfferMade, provider_id=make_provider_id("Cedar")),
    ]
    assert find_providers(events) == {ALDER, BIRCH, make_provider_id("Cedar")}


def test_a_parked_key_stands_where_it_happened() -> None:
    press = RecordBuilder()
    first = press.publish(an_example_of(PackageRequested))
    parked = press.publish(an_example_of(KeyParked, parked_key=str(PACKAGE)))
    last = press.publish(an_example_of(OfferMade, provider_id=ALDER))
    lines = write_lines([*first, *last, *parked])
    assert [line.type.split(".")[1] for line in lines] == ["PackageRequested", "KeyParked", "OfferMade"]


def test_an_event_of_an_unknown_type_has_a_line_too() -> None:
    press = RecordBuilder()
    requested = an_example_of(PackageRequested)
    unknown = press.make_envelope(requested).model_copy(update={"type": "calloff.New.v1"}).seal(encode(requested))
    (line,) = write_lines([press.make_record(unknown, requested)])
    assert (line.what, line.verified) == ("An event of the type calloff.New.v1, which cannot be read here", False)


def test_another_councils_events_are_not_in_the_story() -> None:
    press = RecordBuilder(council=COUNCIL)
    rows = verify([parse_record(each) for each in press.publish(an_example_of(PackageRequested))])
    assert select_first_occurrences(rows, type(COUNCIL)("elsewhere")) == []
