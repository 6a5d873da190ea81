"""The judge's checks of a single package: a valid story has no fault, and every planted fault is found."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import pytest

from contracts.catalogue import encode, find_entry
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.offers import OfferAccepted, OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested, WithdrawalRequested
from contracts.events.searches import PackagePlaced, ProviderPassedOver, StageCandidate, StageEntered
from contracts.examples import an_envelope_of, an_example_of, an_id
from contracts.values import PassOverReason
from judge import count_placed, find_faults
from testkit.topics import TopicRecord

PACKAGE: Final = an_id("package")
ALDER, BIRCH = an_id("Alder"), an_id("Birch")
FIRST, SECOND = an_id("first offer"), an_id("second offer")


def a_stage() -> Event:
    ranking = tuple(
        an_example_of(StageCandidate, provider_id=provider, rank=rank)
        for rank, provider in enumerate((ALDER, BIRCH), 1)
    )
    return an_example_of(StageEntered, package_id=PACKAGE, candidates=ranking)


def an_offer(offer: UUID, to: UUID) -> Event:
    return an_example_of(OfferMade, package_id=PACKAGE, offer_id=offer, provider_id=to, asks_all=False)


def a_decline(offer: UUID, by: UUID) -> Event:
    return an_example_of(OfferDeclined, package_id=PACKAGE, offer_id=offer, provider_id=by)


def an_acceptance_and_placement(offer: UUID, by: UUID) -> tuple[Event, Event]:
    accepted = an_example_of(OfferAccepted, package_id=PACKAGE, offer_id=offer, provider_id=by)
    placed_by = {"package_id": PACKAGE, "offer_id": offer, "proposal_id": None, "provider_id": by}
    return accepted, an_example_of(PackagePlaced, **placed_by)


def a_request() -> Event:
    return an_example_of(PackageRequested, package_id=PACKAGE)


def a_valid_story() -> list[Event]:
    return [
        a_request(),
        a_stage(),
        an_offer(FIRST, ALDER),
        a_decline(FIRST, ALDER),
        an_offer(SECOND, BIRCH),
        *an_acceptance_and_placement(SECOND, BIRCH),
    ]


def to_topic_records(events: Sequence[Event]) -> list[TopicRecord]:
    last: dict[str, Envelope] = {}
    records: list[TopicRecord] = []
    for offset, event in enumerate(events):
        owner = find_entry(type(event)).owner
        last[owner] = an_envelope_of(event, after=last.get(owner)).model_copy(update={"id": an_id(f"event {offset}")})
        last[owner] = last[owner].seal(encode(event))
        records.append(
            TopicRecord("homecare.packages.v1", 0, offset, event.key, last[owner].to_headers(), encode(event))
        )
    return records


def a_receipt(
    provider: UUID, offer: UUID, *, verified: bool = True, reaction: str = "acknowledged"
) -> dict[str, object]:
    return {
        "reaction": reaction,
        "headers": {"webhook-id": "msg-1"},
        "provider_id": str(provider),
        "offer_id": str(offer),
        "verified": verified,
    }


def test_a_valid_story_has_no_fault() -> None:
    records = to_topic_records(a_valid_story())
    assert find_faults(records, [a_receipt(ALDER, FIRST), a_receipt(BIRCH, SECOND)]) == []
    assert count_placed(records) == 1


PLANTED_FAULTS: Final = {
    "asked out of order": [a_request(), a_stage(), an_offer(FIRST, BIRCH)],
    "asked twice": [a_request(), a_stage(), an_offer(FIRST, ALDER), a_decline(FIRST, ALDER), an_offer(SECOND, ALDER)],
    "two live offers": [a_request(), a_stage(), an_offer(FIRST, ALDER), an_offer(SECOND, BIRCH)],
    "ended twice": [*a_valid_story()[:4], a_decline(FIRST, ALDER)],
    "placed twice": [*a_valid_story(), an_acceptance_and_placement(SECOND, BIRCH)[1]],
    "accepted and not placed": a_valid_story()[:-1],
    "withdrawn without an answer": [*a_valid_story()[:3], an_example_of(WithdrawalRequested, package_id=PACKAGE)],
    "passed over the wrong one": [
        a_request(),
        a_stage(),
        an_example_of(ProviderPassedOver, package_id=PACKAGE, provider_id=BIRCH, reasons=(PassOverReason.EMBARGOED,)),
    ],
}


@pytest.mark.parametrize("story", PLANTED_FAULTS.values(), ids=PLANTED_FAULTS.keys())
def test_a_planted_fault_is_found(story: list[Event]) -> None:
    assert find_faults(to_topic_records(story), []) != []


def test_a_changed_byte_is_found() -> None:
    records = to_topic_records(a_valid_story())
    changed = records[2]
    records[2] = TopicRecord(
        changed.topic, 0, changed.offset, changed.key, changed.headers, changed.value.replace(b'"rank":1', b'"rank":2')
    )
    assert find_faults(records, []) != []


def test_a_lost_event_is_found() -> None:
    records = to_topic_records(a_valid_story())
    del records[3]
    assert find_faults(records, []) != []


def test_a_repeat_with_the_same_bytes_is_no_fault() -> None:
    assert find_faults([*to_topic_records(a_valid_story())[:3], *to_topic_records(a_valid_story())[1:]], []) == []


def an_answer(provider: UUID, what: str, *, status: int = 200) -> dict[str, object]:
    return {"provider_id": str(provider), "package_id": str(PACKAGE), "what": what, "status": status}


def test_answers_that_are_on_record_have_no_fault() -> None:
    successful = [an_answer(ALDER, "decline"), an_answer(BIRCH, "accept"), an_answer(BIRCH, "person")]
    refused = [an_answer(ALDER, "accept", status=409), an_answer(ALDER, "person", status=0)]
    assert find_faults(to_topic_records(a_valid_story()), [], answers=[*successful, *refused]) == []


@pytest.mark.parametrize("what", ["accept", "person"])
def test_a_successful_answer_that_is_not_on_record_is_found(what: str) -> None:
    assert find_faults(to_topic_records(a_valid_story()), [], answers=[an_answer(ALDER, what)]) != []


def a_referral(status: str, placed_with: UUID | None) -> dict[str, object]:
    return {"package_id": str(PACKAGE), "status": status, "placed_with": placed_with and str(placed_with)}


def test_a_referral_status_that_agrees_with_the_record_has_no_fault() -> None:
    assert find_faults(to_topic_records(a_valid_story()), [], referrals=[a_referral("placed", BIRCH)]) == []


@pytest.mark.parametrize(("status", "placed_with"), [("placed", ALDER), ("sourcing", None), ("withdrawn", BIRCH)])
def test_a_referral_status_that_contradicts_the_record_is_found(status: str, placed_with: UUID | None) -> None:
    assert find_faults(to_topic_records(a_valid_story()), [], referrals=[a_referral(status, placed_with)]) != []


@pytest.mark.parametrize("receipt", [a_receipt(BIRCH, FIRST), a_receipt(ALDER, FIRST, verified=False)])
def test_a_misdirected_or_unverified_webhook_is_found(receipt: dict[str, object]) -> None:
    assert find_faults(to_topic_records(a_valid_story()), [receipt]) != []
