"""The judge checks what providers' systems got of lists, and that each tick that they sent is on record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import pytest

from contracts.events.lists import InterestNotUsed, InterestRefusal, ListReturned, ReturnedListRow, RowResult
from contracts.examples import an_example_of, an_id
from contracts.ids import ListingReference, ProviderId
from judge import find_violations
from testkit.judge_events import OPEN_TO_ALL, build_open_list_events
from testkit.judge_lists import AVAILABLE_REFERENCE, BATCHING_LIST, BATCHING_REFERENCE
from testkit.judge_market import BIRCH, CEDAR, ELM, TimedEvent, build_market_events
from testkit.judge_records import a_receipt, build_evidence

VALID: Final = [*build_market_events(), *build_open_list_events()]
OWN_ROW: Final = {"advert": {"reference": str(BATCHING_REFERENCE)}}


def judge(
    *,
    receipts: Sequence[dict[str, object]] = (),
    answers: Sequence[Mapping[str, Any]] = (),
    more: Sequence[TimedEvent] = (),
) -> list[str]:
    evidence = build_evidence([*VALID[:-1], *more, VALID[-1]])
    return find_violations(replace(evidence, webhook_requests=[*evidence.webhook_requests, *receipts], answers=answers))


def a_list_receipt(provider: UUID, *rows: object, list_id: UUID = BATCHING_LIST, **more: object) -> dict[str, object]:
    body = json.dumps({"type": "list.issued", "data": {"rows": rows, **more}})
    return a_receipt(provider, list_id=list_id, body=body)


def a_tick(provider: UUID, reference: UUID, status: int) -> dict[str, object]:
    return {
        "what": "tick",
        "provider_id": str(provider),
        "reference": str(reference),
        "package_id": None,
        "status": status,
    }


def test_a_list_that_went_to_its_recipient_has_no_fault() -> None:
    assert judge(receipts=[a_list_receipt(CEDAR, OWN_ROW)]) == []


@pytest.mark.parametrize(
    ("receipt", "message"),
    [
        (a_list_receipt(ELM, OWN_ROW), "that are not for it"),
        (a_list_receipt(CEDAR, {"advert": {"reference": str(AVAILABLE_REFERENCE)}}), "that are not for it"),
        (a_list_receipt(CEDAR), "that are not for it"),
        (a_list_receipt(CEDAR, OWN_ROW, list_id=an_id("no list")), "that are not for it"),
        (a_list_receipt(CEDAR, OWN_ROW, package_id=str(OPEN_TO_ALL)), "names a package"),
    ],
    ids=["another tier", "another list's row", "no row", "no list", "a package id"],
)
def test_a_list_that_shows_what_it_must_not_is_found(receipt: dict[str, object], message: str) -> None:
    found = judge(receipts=[receipt])
    assert any(message in each for each in found), found


def test_a_tick_that_counts_is_on_record() -> None:
    assert judge(answers=[a_tick(BIRCH, BATCHING_REFERENCE, 200)]) == []
    assert any(
        "but there is no InterestRegistered" in each for each in judge(answers=[a_tick(CEDAR, BATCHING_REFERENCE, 200)])
    )


def test_a_tick_that_is_not_used_is_on_record() -> None:
    fields = {"list_id": BATCHING_LIST, "provider_id": CEDAR, "reason": InterestRefusal.PLACED}
    late = TimedEvent(an_example_of(InterestNotUsed, package_id=OPEN_TO_ALL, **fields), VALID[-1].at)
    answers = [a_tick(CEDAR, BATCHING_REFERENCE, 409)]
    assert judge(answers=answers, more=[late]) == []
    assert any("but there is no InterestNotUsed" in each for each in judge(answers=answers))


def a_return(provider: ProviderId, result: RowResult) -> TimedEvent:
    row = ReturnedListRow(line=12, reference=ListingReference(BATCHING_REFERENCE), result=result)
    fields = {"list_id": BATCHING_LIST, "provider_id": provider, "entered_by": None, "rows": (row,)}
    return TimedEvent(an_example_of(ListReturned, **fields), VALID[-1].at)


def test_a_returned_list_says_what_is_on_record() -> None:
    assert judge(more=[a_return(BIRCH, RowResult.INTERESTED)]) == []
    assert judge(more=[a_return(CEDAR, RowResult.EMPTY)]) == []


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (a_return(CEDAR, RowResult.INTERESTED), "but there is no InterestRegistered"),
        (a_return(BIRCH, RowResult.NOT_USED), "but there is no InterestNotUsed"),
        (a_return(ELM, RowResult.EMPTY), "which had not got it"),
    ],
    ids=["no tick", "no tick that is not used", "no recipient"],
)
def test_a_return_that_says_what_is_not_on_record_is_found(event: TimedEvent, message: str) -> None:
    found = judge(more=[event])
    assert any(message in each for each in found), found


def test_a_return_that_is_not_on_record_is_found() -> None:
    answer = {**a_tick(BIRCH, BATCHING_LIST, 200), "what": "return a list"}
    assert any("but there is no ListReturned" in each for each in judge(answers=[answer]))
    assert judge(answers=[answer], more=[a_return(BIRCH, RowResult.EMPTY)]) == []
