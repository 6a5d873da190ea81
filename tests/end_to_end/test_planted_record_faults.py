"""The judge finds altered records, misdirected webhooks, parked keys, and open packages that are lost."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from contracts.events.searches import SourcingHeld
from contracts.examples import an_example_of, an_id
from judge import Evidence, find_violations, verify_chains
from testkit.judge_events import (
    OPEN_TO_ALL,
    PackageEventBuilder,
    build_offer_events,
    build_valid_events,
)
from testkit.judge_market import BIRCH, CEDAR, EIGHT, ELM, GORSE, TimedEvent, build_market_events
from testkit.judge_records import a_receipt, build_evidence, to_topic_records
from testkit.topics import TopicRecord

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
VALID: Final = build_valid_events()


def break_hash(records: list[TopicRecord]) -> list[TopicRecord]:
    return [*records[:-1], replace(records[-1], value=records[-1].value + b" ")]


def remove_record(records: list[TopicRecord]) -> list[TopicRecord]:
    return [record for record in records if record is not records[-3]]


def repeat_with_other_bytes(records: list[TopicRecord]) -> list[TopicRecord]:
    return [*records, replace(records[-1], value=records[-1].value + b" ")]


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (break_hash, "has a hash that does not match its bytes"),
        (remove_record, "is at the position of"),
        (repeat_with_other_bytes, "is repeated with other bytes"),
    ],
)
def test_an_altered_record_is_found(alter: Callable[[list[TopicRecord]], list[TopicRecord]], message: str) -> None:
    evidence = build_evidence(VALID)
    altered = replace(evidence, records=alter(list(evidence.records)))
    assert any(message in violation for violation in find_violations(altered))
    assert not verify_chains(altered.records)


def add_receipts(*receipts: dict[str, object]) -> Evidence:
    evidence = build_evidence(VALID)
    return replace(evidence, webhook_requests=[*evidence.webhook_requests, *receipts])


OFFER_TO_CEDAR: Final = PackageEventBuilder(build_offer_events()[0].event.package_id).build_offer_id(CEDAR)  # pyright: ignore


@pytest.mark.parametrize(
    ("receipt", "message"),
    [
        (a_receipt(BIRCH, offer_id=OFFER_TO_CEDAR), "about offer"),
        (a_receipt(ELM, package_id=build_offer_events()[0].event.key), "about package"),
        (
            {**a_receipt(GORSE, offer_id=OFFER_TO_CEDAR), "provider_id": str(CEDAR), "verified": False},
            "invalid signature",
        ),
        (a_receipt(GORSE, reference=an_id("reference"), body=f"of {OPEN_TO_ALL}"), "names the package"),
        (a_receipt(GORSE, reference=an_id("no list")), "which is on no list"),
        (a_receipt(an_id("nobody"), reference=an_id("reference")), "which is not active there"),
    ],
)
def test_a_planted_webhook_fault_is_found(receipt: dict[str, object], message: str) -> None:
    assert any(message in violation for violation in find_violations(add_receipts(receipt)))


def test_a_delivery_without_a_receipt_is_found() -> None:
    assert any(
        "no system acknowledged it" in violation
        for violation in find_violations(replace(build_evidence(VALID), webhook_requests=[]))
    )


HELD_PACKAGE: Final = [
    *build_market_events(),
    *PackageEventBuilder(an_id("held")).start_sourcing(),
    TimedEvent(an_example_of(SourcingHeld, package_id=an_id("held")), EIGHT + 2 * HOUR),
]
OPEN_PACKAGE: Final = [*build_market_events(), *build_offer_events()[:7]]


def find_open_violations(
    events: Sequence[TimedEvent], status: str, *, on_work_list: bool, after: timedelta = timedelta(0)
) -> list[str]:
    evidence = build_evidence(events)
    key = events[-1].event.key
    work_list = frozenset({key}) if on_work_list else frozenset[str]()
    return find_violations(replace(evidence, statuses={key: status}, work_list=work_list, now=evidence.now + after))


def test_a_held_package_must_be_on_the_work_list() -> None:
    assert find_open_violations(HELD_PACKAGE, "held", on_work_list=True) == []
    assert any(
        "not on the work list" in violation
        for violation in find_open_violations(HELD_PACKAGE, "held", on_work_list=False)
    )


def test_an_open_package_must_have_a_deadline_in_the_future() -> None:
    assert find_open_violations(OPEN_PACKAGE, "running", on_work_list=False) == []
    violations = find_open_violations(OPEN_PACKAGE, "running", on_work_list=False, after=HOUR)
    assert any("should have expired" in violation for violation in violations)


def test_an_open_package_must_be_open_in_sourcing() -> None:
    assert any(
        "open by the record" in violation
        for violation in find_open_violations(OPEN_PACKAGE, "placed", on_work_list=False)
    )


def test_a_parked_key_is_found() -> None:
    parked = TopicRecord("homecare.parked.v1", 0, 0, "a key", [], b"{}")
    evidence = build_evidence(VALID)
    assert any(
        "was parked" in violation
        for violation in find_violations(replace(evidence, records=[*evidence.records, parked]))
    )


def test_the_events_are_the_same_in_each_run() -> None:
    assert to_topic_records(VALID) == to_topic_records(build_valid_events())
