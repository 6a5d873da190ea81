"""The judge is judged: each kind of wrong that it looks for is found when it is planted, and a good story passes."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import pytest

from contracts.catalogue import encode, find_entry
from contracts.envelope import Envelope
from contracts.events.base import Event
from contracts.events.packages import (
    Candidate,
    OfferAccepted,
    OfferDeclined,
    OfferMade,
    PackagePlaced,
    PackageRequested,
    ProviderPassedOver,
    StageEntered,
    WithdrawalRequested,
)
from contracts.examples import an_envelope_of, an_example_of, an_id
from contracts.values import PassOverReason
from judge import count_placed, find_faults
from testkit.topics import Kept

PACKAGE: Final = an_id("package")
ALDER, BIRCH = an_id("Alder"), an_id("Birch")
FIRST, SECOND = an_id("first offer"), an_id("second offer")


def entered() -> Event:
    ranking = tuple(
        Candidate.model_validate({"provider_id": each, "rank": rank}) for rank, each in enumerate((ALDER, BIRCH), 1)
    )
    return an_example_of(StageEntered, package_id=PACKAGE, candidates=ranking)


def offered(offer: UUID, to: UUID) -> Event:
    return an_example_of(OfferMade, package_id=PACKAGE, offer_id=offer, provider_id=to)


def declined(offer: UUID, by: UUID) -> Event:
    return an_example_of(OfferDeclined, package_id=PACKAGE, offer_id=offer, provider_id=by)


def taken(offer: UUID, by: UUID) -> tuple[Event, Event]:
    accepted = an_example_of(OfferAccepted, package_id=PACKAGE, offer_id=offer, provider_id=by)
    placed_by = {"package_id": PACKAGE, "offer_id": offer, "proposal_id": None, "provider_id": by}
    return accepted, an_example_of(PackagePlaced, **placed_by)


def requested() -> Event:
    return an_example_of(PackageRequested, package_id=PACKAGE)


def good_story() -> list[Event]:
    return [
        requested(),
        entered(),
        offered(FIRST, ALDER),
        declined(FIRST, ALDER),
        offered(SECOND, BIRCH),
        *taken(SECOND, BIRCH),
    ]


def on_kafka(events: Sequence[Event]) -> list[Kept]:
    last: dict[str, Envelope] = {}
    kept: list[Kept] = []
    for offset, event in enumerate(events):
        owner = find_entry(type(event)).owner
        last[owner] = an_envelope_of(event, after=last.get(owner)).model_copy(update={"id": an_id(f"event {offset}")})
        last[owner] = last[owner].seal(encode(event))
        kept.append(Kept("homecare.packages.v1", 0, offset, event.key, last[owner].to_headers(), encode(event)))
    return kept


def a_receipt(provider: UUID, offer: UUID, *, verified: bool = True, receipt: str = "taken") -> dict[str, object]:
    return {
        "receipt": receipt,
        "headers": {"webhook-id": "msg-1"},
        "provider_id": str(provider),
        "offer_id": str(offer),
        "verified": verified,
    }


def test_a_good_story_has_no_fault() -> None:
    records = on_kafka(good_story())
    assert find_faults(records, [a_receipt(ALDER, FIRST), a_receipt(BIRCH, SECOND)]) == []
    assert count_placed(records) == 1


PLANTED: Final = {
    "asked out of order": [requested(), entered(), offered(FIRST, BIRCH)],
    "asked twice": [requested(), entered(), offered(FIRST, ALDER), declined(FIRST, ALDER), offered(SECOND, ALDER)],
    "two live offers": [requested(), entered(), offered(FIRST, ALDER), offered(SECOND, BIRCH)],
    "ended twice": [*good_story()[:4], declined(FIRST, ALDER)],
    "placed twice": [*good_story(), taken(SECOND, BIRCH)[1]],
    "accepted and not placed": good_story()[:-1],
    "withdrawn without an answer": [*good_story()[:3], an_example_of(WithdrawalRequested, package_id=PACKAGE)],
    "passed over the wrong one": [
        requested(),
        entered(),
        an_example_of(ProviderPassedOver, package_id=PACKAGE, provider_id=BIRCH, reasons=(PassOverReason.EMBARGOED,)),
    ],
}


@pytest.mark.parametrize("story", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_wrong_is_found(story: list[Event]) -> None:
    assert find_faults(on_kafka(story), []) != []


def test_a_changed_byte_is_found() -> None:
    records = on_kafka(good_story())
    changed = records[2]
    records[2] = Kept(
        changed.topic, 0, changed.offset, changed.key, changed.headers, changed.value.replace(b'"rank":1', b'"rank":2')
    )
    assert find_faults(records, []) != []


def test_a_lost_event_is_found() -> None:
    records = on_kafka(good_story())
    del records[3]
    assert find_faults(records, []) != []


def test_a_repeat_with_the_same_bytes_is_no_fault() -> None:
    assert find_faults([*on_kafka(good_story())[:3], *on_kafka(good_story())[1:]], []) == []


def an_answer(provider: UUID, what: str, *, status: int = 200) -> dict[str, object]:
    return {"provider_id": str(provider), "package_id": str(PACKAGE), "what": what, "status": status}


def test_answers_that_are_on_record_have_no_fault() -> None:
    told = [an_answer(ALDER, "decline"), an_answer(BIRCH, "accept"), an_answer(BIRCH, "person")]
    refused = [an_answer(ALDER, "accept", status=409), an_answer(ALDER, "person", status=0)]
    assert find_faults(on_kafka(good_story()), [], answers=[*told, *refused]) == []


@pytest.mark.parametrize("what", ["accept", "person"])
def test_a_yes_to_a_provider_that_is_not_on_record_is_found(what: str) -> None:
    assert find_faults(on_kafka(good_story()), [], answers=[an_answer(ALDER, what)]) != []


def seen_by_the_council(status: str, placed_with: UUID | None) -> dict[str, object]:
    return {"package_id": str(PACKAGE), "status": status, "placed_with": placed_with and str(placed_with)}


def test_a_council_that_sees_what_the_record_says_has_no_fault() -> None:
    assert find_faults(on_kafka(good_story()), [], referrals=[seen_by_the_council("placed", BIRCH)]) == []


@pytest.mark.parametrize(("status", "placed_with"), [("placed", ALDER), ("sourcing", None), ("withdrawn", BIRCH)])
def test_a_council_that_sees_something_else_is_found(status: str, placed_with: UUID | None) -> None:
    assert find_faults(on_kafka(good_story()), [], referrals=[seen_by_the_council(status, placed_with)]) != []


@pytest.mark.parametrize("receipt", [a_receipt(BIRCH, FIRST), a_receipt(ALDER, FIRST, verified=False)])
def test_a_webhook_gone_astray_is_found(receipt: dict[str, object]) -> None:
    assert find_faults(on_kafka(good_story()), [receipt]) != []
