"""What comes from Kafka is kept as it came; the story is told from it, and whoever changes a byte is found out."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from audit.domain.records import FaultKind, RecordPosition, decode_headers
from contracts.catalogue import PACKAGES, encode
from contracts.events.packages import (
    OfferDeclined,
    OfferMade,
    PackageRequested,
    SourcingStarted,
    StageEntered,
)
from contracts.examples import an_example_of
from contracts.ids import PackageId, ProviderId
from service_runtime.postgres.database import StatementRefused
from testkit.audit.harness import AuditHarness
from testkit.audit.stories import LINES
from testkit.databases import number, rows

# --- a story in, a trail out


async def test_a_story_comes_out_as_it_went_in(harness: AuditHarness, package: PackageId) -> None:
    story = await harness.send_story(package)
    answer = await harness.get(f"/v1/packages/{package}/trail")
    assert (answer.status, answer.body["verified"]) == (200, True)
    lines = answer.body["lines"]
    assert [line["line"] for line in lines] == list(range(1, LINES + 1))
    assert lines[3]["what"] == "Alder (rank 1 of tier 1) was passed over: embargoed"
    assert lines[3]["why"]["line"] == 1
    assert lines[5]["what"] == "Birch declined: no capacity"
    assert lines[5]["who"] == "Cedar"
    assert lines[8]["what"].startswith("The package was placed with Cedar (rank 3 of tier 1): 3.50 hours a week")
    assert [line["sequence"] for line in lines] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert lines[0]["local"] == f"Mon 2 Mar 2026 09:00:{story.press.at.second - 8:02d} GMT"
    assert await harness.find_violations(*await harness.wait_for_records(package, count=LINES)) == []


async def test_bytes_are_kept_exactly_as_they_came(harness: AuditHarness, package: PackageId) -> None:
    press = harness.make_record_builder()
    requested = an_example_of(PackageRequested, package_id=package)
    sent = press.make_record(press.make_envelope(requested), requested)
    odd = replace(sent, headers=sent.headers[:-1] + b', ["odd", "\\u0000\\u00ff\\u00e9"]]')
    await harness.send([odd])
    await harness.wait_for_records(package, count=1)
    (kept,) = await rows(harness.audit.service.database, "SELECT * FROM records WHERE subject = :key", key=str(package))
    assert (decode_headers(kept.headers), kept.payload) == (decode_headers(odd.headers), sent.payload)
    assert dict(decode_headers(kept.headers))["odd"] == b"\x00\xff\xe9"


async def test_why_not_is_answered_for_everybody(harness: AuditHarness, package: PackageId) -> None:
    story = await harness.send_story(package)
    strangers = {"Stranger": ProviderId(uuid4())}
    verdicts = {
        name: (await harness.get(f"/v1/packages/{package}/why-not/{each}")).body
        for name, each in {**story.providers, **strangers}.items()
    }
    assert {name: answer["verdict"] for name, answer in verdicts.items()} == {
        "Alder": "passed over",
        "Birch": "offered",
        "Cedar": "placed with it",
        "Dogwood": "not reached",
        "Elder": "not reached",
        "Stranger": "never heard of",
    }
    (view,) = verdicts["Alder"]["reasons"][0]["views"]
    assert (view["view"], view["sequence"], view["said_by"]["type"]) == (
        "eligibility",
        2,
        "calloff.EligibilityChanged.v1",
    )
    assert verdicts["Dogwood"]["in_short"] == (
        "Cedar (rank 3 of tier 1) was placed first; Dogwood is rank 4 of tier 1, list version 7"
    )
    assert "rank 1 of tier 2, list version 7; the search did not come to that tier" in verdicts["Elder"]["in_short"]
    assert all(
        proof["verified"] for answer in verdicts.values() for each in answer["reasons"] for proof in each["evidence"]
    )


async def test_another_councils_package_is_unknown(harness: AuditHarness, package: PackageId) -> None:
    await harness.send_story(package)
    for path in (
        f"/v1/packages/{package}/trail",
        f"/v1/packages/{package}/why-not/{uuid4()}",
        f"/v1/verification?package_id={package}",
    ):
        assert (await harness.get(path, council="another-council")).status == 404
        assert (await harness.get(path)).status == 200
        assert (await harness.get(path, "offers:answer")).status == 403
        assert (await harness.get(path.replace(str(package), str(uuid4()), 1))).status == 404


# --- what is wrong is kept and named


async def test_an_equal_repeat_is_kept_and_is_no_violation(harness: AuditHarness, package: PackageId) -> None:
    press = harness.make_record_builder()
    requested, made = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferMade))
    pairs = [(press.make_envelope(requested), requested), (press.make_envelope(made), made)]
    await harness.send([press.make_record(*pair) for pair in [*pairs, *pairs]])
    positions = await harness.wait_for_records(package, count=4)
    await harness.send([press.make_record(*pair) for pair in pairs])
    positions = await harness.wait_for_records(package, count=6)
    assert await harness.find_violations(*positions) == []
    answer = await harness.get(f"/v1/packages/{package}/trail")
    assert (len(answer.body["lines"]), answer.body["verified"]) == (2, True)


async def test_a_gap_is_a_violation_and_what_fills_it_later_is_late(harness: AuditHarness, package: PackageId) -> None:
    press = harness.make_record_builder()
    events = [an_example_of(each, package_id=package) for each in (SourcingStarted, StageEntered, OfferMade)]
    first, second, third = [press.make_record(press.make_envelope(each), each) for each in events]
    await harness.send([first, third])
    await harness.wait_for_records(package, count=2)
    await harness.send([second])
    positions = await harness.wait_for_records(package, count=3)
    assert await harness.find_violations(*positions) == [FaultKind.GAP, FaultKind.LATE]
    assert await harness.find_violations(positions[1]) == [FaultKind.GAP]


async def test_forged_and_disowned_and_unreadable_records_are_kept_and_named(
    harness: AuditHarness, package: PackageId
) -> None:
    press = harness.make_record_builder()
    requested, declined = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferDeclined))
    forged = replace(press.make_record(press.make_envelope(requested), requested), payload=encode(requested) + b" ")
    disowned = press.make_record(press.make_envelope(declined, source="/calloff/referral"), declined)
    nothing = press.make_raw_record(PACKAGES, str(package).encode(), None, b"\xff\x00")
    envelope = press.make_envelope(declined)
    unknown = envelope.model_copy(update={"type": "calloff.SomethingNew.v1"}).seal(b"{}")
    new = press.make_raw_record(PACKAGES, str(package).encode(), unknown, b"{}")
    await harness.send([forged, disowned, nothing, new])
    positions = await harness.wait_for_records(package, count=4)
    assert [await harness.find_violations(each) for each in positions] == [
        [FaultKind.FORGED_HASH],
        [FaultKind.WRONG_OWNER],
        [FaultKind.UNREADABLE_ENVELOPE],
        [FaultKind.UNKNOWN_TYPE],
    ]
    stranger = await harness.get("/v1/violations?limit=200", council="another-council")
    assert {each["kind"] for each in stranger.body["items"]} <= {FaultKind.UNREADABLE_ENVELOPE}


# --- nobody changes the record unseen


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET topic = topic", "DELETE FROM {}", "TRUNCATE {} CASCADE"], ids=lambda each: each[:6]
)
@pytest.mark.parametrize("table", ["records", "violations"])
async def test_the_record_refuses_every_change(
    harness: AuditHarness, package: PackageId, table: str, statement: str
) -> None:
    press = harness.make_record_builder()
    made = an_example_of(OfferMade, package_id=package)
    press.make_envelope(made)
    await harness.send(
        [press.make_record(press.make_envelope(made), made)]
    )  # with a gap before it, so that both have a row
    await harness.wait_for_records(package, count=1)
    with pytest.raises(StatementRefused, match="append-only"):
        await rows(harness.audit.service.database, statement.format(table))


async def verify_package(harness: AuditHarness, package: PackageId) -> list[tuple[str, RecordPosition, UUID | None]]:
    answer = await harness.get(f"/v1/verification?package_id={package}")
    assert answer.body["verified"] == (answer.body["found"] == 0)
    return [
        (each["kind"], RecordPosition(each["topic"], each["partition"], each["offset"]), UUID(each["event_id"]))
        for each in answer.body["faults"]
    ]


async def test_one_byte_changed_in_a_payload_is_named(harness: AuditHarness, package: PackageId) -> None:
    await harness.send_story(package)
    assert await verify_package(harness, package) == []
    position = (await harness.wait_for_records(package, count=LINES))[5]
    event_id = await _change(harness, position, "payload = set_byte(payload, 20, get_byte(payload, 20) # 1)")
    found = await verify_package(harness, package)
    assert {each[1:] for each in found} == {(position, event_id)}
    assert {each[0] for each in found} >= {FaultKind.ALTERED, FaultKind.FORGED_HASH}
    trail = (await harness.get(f"/v1/packages/{package}/trail")).body
    assert [line["line"] for line in trail["lines"] if not line["verified"]] == [6]
    whole = await verify_all_records(harness)
    assert (FaultKind.ALTERED, position.partition, position.offset) in whole


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("headers = set_byte(headers, 30, get_byte(headers, 30) # 1)", FaultKind.ALTERED),
        ("council = 'elsewhere'", FaultKind.ALTERED),
        ("hash = repeat('0', 64)", FaultKind.ALTERED),
        ("seal = decode(repeat('00', 32), 'hex')", FaultKind.ALTERED),
    ],
)
async def test_a_change_anywhere_else_in_a_row_is_named(
    harness: AuditHarness, package: PackageId, change: str, kind: FaultKind
) -> None:
    await harness.send_story(package)
    position = (await harness.wait_for_records(package, count=LINES))[5]
    event_id = await _change(harness, position, change)
    assert (kind, position, event_id) in await verify_package(harness, package)


async def _change(harness: AuditHarness, position: RecordPosition, change: str) -> UUID:
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await harness.tamper(f"UPDATE records SET {change} {where}", **vars(position))
    (row,) = await rows(harness.audit.service.database, f"SELECT event_id FROM records {where}", **vars(position))
    return UUID(str(row.event_id))


async def test_a_row_that_is_gone_leaves_a_gap(harness: AuditHarness, package: PackageId) -> None:
    await harness.send_story(package)
    positions = await harness.wait_for_records(package, count=LINES)
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await harness.tamper(f"DELETE FROM records {where}", **vars(positions[4]))
    found = await verify_package(harness, package)
    assert [(kind, position) for kind, position, _ in found] == [(FaultKind.GAP, positions[5])]
    assert (FaultKind.MISSING, positions[5].partition, positions[5].offset) in await verify_all_records(harness)


async def verify_all_records(harness: AuditHarness) -> set[tuple[str, int, int]]:
    """What is wrong with the whole record, asked for in small parts."""
    found: set[tuple[str, int, int]] = set()
    records, parameters = 0, "records=25"
    while True:
        answer = await harness.get(f"/v1/verification?{parameters}", "operations:manage")
        assert answer.status == 200
        records += answer.body["records"]
        found |= {(each["kind"], each["partition"], each["offset"]) for each in answer.body["faults"]}
        if answer.body["next"] is None:
            break
        parameters = f"records=25&cursor={answer.body['next']}"
    assert records == await number(harness.audit.service.database, "SELECT count(*) FROM records")
    return found
