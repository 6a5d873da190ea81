"""Stored bytes, violations on arrival, and verification of altered records."""

from dataclasses import replace
from uuid import UUID

import pytest

from audit.domain.records import FaultKind, RecordPosition, decode_headers
from contracts.catalogue import PACKAGES, encode
from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.packages import PackageRequested
from contracts.events.searches import SourcingStarted, StageEntered
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.postgres.errors import StatementRefused
from testkit.audit.complete_case import PACKAGE_RECORD_COUNT
from testkit.audit.harness import AuditHarness
from testkit.databases import fetch_number, fetch_rows


async def test_records_are_stored_byte_for_byte(harness: AuditHarness, package: PackageId) -> None:
    builder = harness.make_record_builder()
    requested = an_example_of(PackageRequested, package_id=package)
    sent = builder.make_record(builder.make_envelope(requested), requested)
    odd = replace(sent, headers=sent.headers[:-1] + b', ["odd", "\\u0000\\u00ff\\u00e9"]]')
    await harness.send_records([odd])
    await harness.wait_for_records(package, count=1)
    (stored,) = await fetch_rows(
        harness.audit.service.database, "SELECT * FROM records WHERE subject = :key", key=str(package)
    )
    assert (decode_headers(stored.headers), stored.payload) == (decode_headers(odd.headers), sent.payload)
    assert dict(decode_headers(stored.headers))["odd"] == b"\x00\xff\xe9"


async def test_an_equal_repeat_is_stored_and_is_no_violation(harness: AuditHarness, package: PackageId) -> None:
    builder = harness.make_record_builder()
    requested, made = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferMade))
    pairs = [(builder.make_envelope(requested), requested), (builder.make_envelope(made), made)]
    await harness.send_records([builder.make_record(*pair) for pair in [*pairs, *pairs]])
    positions = await harness.wait_for_records(package, count=4)
    await harness.send_records([builder.make_record(*pair) for pair in pairs])
    positions = await harness.wait_for_records(package, count=6)
    assert await harness.find_violations(*positions) == []
    answer = await harness.get(f"/v1/packages/{package}/trail")
    assert (len(answer.body["lines"]), answer.body["verified"]) == (2, True)


async def test_a_gap_is_a_violation_and_a_later_event_that_fills_it_is_late(
    harness: AuditHarness, package: PackageId
) -> None:
    builder = harness.make_record_builder()
    events = [an_example_of(each, package_id=package) for each in (SourcingStarted, StageEntered, OfferMade)]
    first, second, third = [builder.make_record(builder.make_envelope(each), each) for each in events]
    await harness.send_records([first, third])
    await harness.wait_for_records(package, count=2)
    await harness.send_records([second])
    positions = await harness.wait_for_records(package, count=3)
    assert await harness.find_violations(*positions) == [FaultKind.GAP, FaultKind.LATE]
    assert await harness.find_violations(positions[1]) == [FaultKind.GAP]


async def test_faulty_records_are_stored_with_their_violations(harness: AuditHarness, package: PackageId) -> None:
    builder = harness.make_record_builder()
    requested, declined = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferDeclined))
    forged = replace(builder.make_record(builder.make_envelope(requested), requested), payload=encode(requested) + b" ")
    disowned = builder.make_record(builder.make_envelope(declined, source="/calloff/referral"), declined)
    nothing = builder.make_raw_record(PACKAGES, str(package).encode(), None, b"\xff\x00")
    envelope = builder.make_envelope(declined)
    unknown = envelope.model_copy(update={"type": "calloff.SomethingNew.v1"}).seal(b"{}")
    new = builder.make_raw_record(PACKAGES, str(package).encode(), unknown, b"{}")
    await harness.send_records([forged, disowned, nothing, new])
    positions = await harness.wait_for_records(package, count=4)
    assert [await harness.find_violations(each) for each in positions] == [
        [FaultKind.FORGED_HASH],
        [FaultKind.WRONG_OWNER],
        [FaultKind.UNREADABLE_ENVELOPE],
        [FaultKind.UNKNOWN_TYPE],
    ]
    stranger = await harness.get("/v1/violations?limit=200", council="another-council")
    assert {each["kind"] for each in stranger.body["items"]} <= {FaultKind.UNREADABLE_ENVELOPE}


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET topic = topic", "DELETE FROM {}", "TRUNCATE {} CASCADE"], ids=lambda each: each[:6]
)
@pytest.mark.parametrize("table", ["records", "violations"])
async def test_the_tables_refuse_update_delete_and_truncate(
    harness: AuditHarness, package: PackageId, table: str, statement: str
) -> None:
    builder = harness.make_record_builder()
    made = an_example_of(OfferMade, package_id=package)
    builder.make_envelope(made)
    await harness.send_records(
        [builder.make_record(builder.make_envelope(made), made)]
    )  # with a gap before it, so that both have a row
    await harness.wait_for_records(package, count=1)
    with pytest.raises(StatementRefused, match="append-only"):
        await fetch_rows(harness.audit.owner, statement.format(table))
    with pytest.raises(StatementRefused, match="permission denied"):
        await fetch_rows(harness.audit.service.database, statement.format(table))


async def verify_package(harness: AuditHarness, package: PackageId) -> list[tuple[str, RecordPosition, UUID | None]]:
    answer = await harness.get(f"/v1/verification?package_id={package}")
    assert answer.body["verified"] == (answer.body["found"] == 0)
    return [
        (each["kind"], RecordPosition(each["topic"], each["partition"], each["offset"]), UUID(each["event_id"]))
        for each in answer.body["faults"]
    ]


async def test_verification_finds_a_changed_byte_of_a_payload(harness: AuditHarness, package: PackageId) -> None:
    await harness.send_complete_case(package)
    assert await verify_package(harness, package) == []
    position = (await harness.wait_for_records(package, count=PACKAGE_RECORD_COUNT))[5]
    event_id = await change_row(harness, position, "payload = set_byte(payload, 20, get_byte(payload, 20) # 1)")
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
async def test_verification_finds_a_change_of_any_other_column(
    harness: AuditHarness, package: PackageId, change: str, kind: FaultKind
) -> None:
    await harness.send_complete_case(package)
    position = (await harness.wait_for_records(package, count=PACKAGE_RECORD_COUNT))[5]
    event_id = await change_row(harness, position, change)
    assert (kind, position, event_id) in await verify_package(harness, package)


async def change_row(harness: AuditHarness, position: RecordPosition, change: str) -> UUID:
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await harness.change_stored_rows(f"UPDATE records SET {change} {where}", **vars(position))
    (row,) = await fetch_rows(harness.audit.service.database, f"SELECT event_id FROM records {where}", **vars(position))
    return UUID(str(row.event_id))


async def test_verification_finds_a_deleted_row(harness: AuditHarness, package: PackageId) -> None:
    await harness.send_complete_case(package)
    positions = await harness.wait_for_records(package, count=PACKAGE_RECORD_COUNT)
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await harness.change_stored_rows(f"DELETE FROM records {where}", **vars(positions[4]))
    found = await verify_package(harness, package)
    assert [(kind, position) for kind, position, _ in found] == [(FaultKind.GAP, positions[5])]
    assert (FaultKind.MISSING, positions[5].partition, positions[5].offset) in await verify_all_records(harness)


async def verify_all_records(harness: AuditHarness) -> set[tuple[str, int, int]]:
    """Verifies the whole record in small parts, and returns its faults."""
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
    assert records == await fetch_number(harness.audit.service.database, "SELECT count(*) FROM records")
    return found
