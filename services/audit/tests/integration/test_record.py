"""What comes from Kafka is kept as it came; the story is told from it, and whoever changes a byte is found out."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from audit.domain.records import FaultKind, Position, decode_headers
from contracts.catalogue import PACKAGES, encode
from contracts.events.packages import (
    OfferDeclined,
    OfferMade,
    PackageRequested,
    SourcingStarted,
    StageEntered,
)
from contracts.ids import PackageId, ProviderId
from service_runtime.postgres.database import StatementRefused
from testkit.audit.harness import House
from testkit.audit.stories import LINES
from testkit.contract_examples import an_example_of
from testkit.databases import number, rows

# --- a story in, a trail out


async def test_a_story_comes_out_as_it_went_in(house: House, package: PackageId) -> None:
    story = await house.hears_a_story(package)
    answer = await house.asks(f"/v1/packages/{package}/trail")
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
    assert await house.violations_at(*await house.kept(package, count=LINES)) == []


async def test_bytes_are_kept_exactly_as_they_came(house: House, package: PackageId) -> None:
    press = house.press()
    requested = an_example_of(PackageRequested, package_id=package)
    sent = press.record(press.envelope(requested), requested)
    odd = replace(sent, headers=sent.headers[:-1] + b', ["odd", "\\u0000\\u00ff\\u00e9"]]')
    await house.sends([odd])
    await house.kept(package, count=1)
    (kept,) = await rows(house.audit.service.database, "SELECT * FROM records WHERE subject = :key", key=str(package))
    assert (decode_headers(kept.headers), kept.payload) == (decode_headers(odd.headers), sent.payload)
    assert dict(decode_headers(kept.headers))["odd"] == b"\x00\xff\xe9"


async def test_why_not_is_answered_for_everybody(house: House, package: PackageId) -> None:
    story = await house.hears_a_story(package)
    strangers = {"Stranger": ProviderId(uuid4())}
    verdicts = {
        name: (await house.asks(f"/v1/packages/{package}/why-not/{each}")).body
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


async def test_another_councils_package_is_unknown(house: House, package: PackageId) -> None:
    await house.hears_a_story(package)
    for path in (
        f"/v1/packages/{package}/trail",
        f"/v1/packages/{package}/why-not/{uuid4()}",
        f"/v1/verification?package_id={package}",
    ):
        assert (await house.asks(path, council="another-council")).status == 404
        assert (await house.asks(path)).status == 200
        assert (await house.asks(path, "offers:answer")).status == 403
        assert (await house.asks(path.replace(str(package), str(uuid4()), 1))).status == 404


# --- what is wrong is kept and named


async def test_an_equal_repeat_is_kept_and_is_no_violation(house: House, package: PackageId) -> None:
    press = house.press()
    requested, made = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferMade))
    pairs = [(press.envelope(requested), requested), (press.envelope(made), made)]
    await house.sends([press.record(*pair) for pair in [*pairs, *pairs]])
    positions = await house.kept(package, count=4)
    await house.sends([press.record(*pair) for pair in pairs])
    positions = await house.kept(package, count=6)
    assert await house.violations_at(*positions) == []
    answer = await house.asks(f"/v1/packages/{package}/trail")
    assert (len(answer.body["lines"]), answer.body["verified"]) == (2, True)


async def test_a_gap_is_a_violation_and_what_fills_it_later_is_late(house: House, package: PackageId) -> None:
    press = house.press()
    events = [an_example_of(each, package_id=package) for each in (SourcingStarted, StageEntered, OfferMade)]
    first, second, third = [press.record(press.envelope(each), each) for each in events]
    await house.sends([first, third])
    await house.kept(package, count=2)
    await house.sends([second])
    positions = await house.kept(package, count=3)
    assert await house.violations_at(*positions) == [FaultKind.GAP, FaultKind.LATE]
    assert await house.violations_at(positions[1]) == [FaultKind.GAP]


async def test_forged_and_disowned_and_unreadable_records_are_kept_and_named(house: House, package: PackageId) -> None:
    press = house.press()
    requested, declined = (an_example_of(each, package_id=package) for each in (PackageRequested, OfferDeclined))
    forged = replace(press.record(press.envelope(requested), requested), payload=encode(requested) + b" ")
    disowned = press.record(press.envelope(declined, source="/calloff/referral"), declined)
    nothing = press.raw(PACKAGES, str(package).encode(), None, b"\xff\x00")
    envelope = press.envelope(declined)
    unknown = envelope.model_copy(update={"type": "calloff.SomethingNew.v1"}).sealed(b"{}")
    new = press.raw(PACKAGES, str(package).encode(), unknown, b"{}")
    await house.sends([forged, disowned, nothing, new])
    positions = await house.kept(package, count=4)
    assert [await house.violations_at(each) for each in positions] == [
        [FaultKind.FORGED_HASH],
        [FaultKind.WRONG_OWNER],
        [FaultKind.UNREADABLE_ENVELOPE],
        [FaultKind.UNKNOWN_TYPE],
    ]
    stranger = await house.asks("/v1/violations?limit=200", council="another-council")
    assert {each["kind"] for each in stranger.body["items"]} <= {FaultKind.UNREADABLE_ENVELOPE}


# --- nobody changes the record unseen


@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET topic = topic", "DELETE FROM {}", "TRUNCATE {} CASCADE"], ids=lambda each: each[:6]
)
@pytest.mark.parametrize("table", ["records", "violations"])
async def test_the_record_refuses_every_change(house: House, package: PackageId, table: str, statement: str) -> None:
    press = house.press()
    made = an_example_of(OfferMade, package_id=package)
    press.envelope(made)
    await house.sends([press.record(press.envelope(made), made)])  # with a gap before it, so that both have a row
    await house.kept(package, count=1)
    with pytest.raises(StatementRefused, match="append-only"):
        await rows(house.audit.service.database, statement.format(table))


async def faults_of(house: House, package: PackageId) -> list[tuple[str, Position, UUID | None]]:
    answer = await house.asks(f"/v1/verification?package_id={package}")
    assert answer.body["verified"] == (answer.body["found"] == 0)
    return [
        (each["kind"], Position(each["topic"], each["partition"], each["offset"]), UUID(each["event_id"]))
        for each in answer.body["faults"]
    ]


async def test_one_byte_changed_in_a_payload_is_named(house: House, package: PackageId) -> None:
    await house.hears_a_story(package)
    assert await faults_of(house, package) == []
    position = (await house.kept(package, count=LINES))[5]
    event_id = await _change(house, position, "payload = set_byte(payload, 20, get_byte(payload, 20) # 1)")
    found = await faults_of(house, package)
    assert {each[1:] for each in found} == {(position, event_id)}
    assert {each[0] for each in found} >= {FaultKind.ALTERED, FaultKind.FORGED_HASH}
    trail = (await house.asks(f"/v1/packages/{package}/trail")).body
    assert [line["line"] for line in trail["lines"] if not line["verified"]] == [6]
    whole = await whole_record(house)
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
    house: House, package: PackageId, change: str, kind: FaultKind
) -> None:
    await house.hears_a_story(package)
    position = (await house.kept(package, count=LINES))[5]
    event_id = await _change(house, position, change)
    assert (kind, position, event_id) in await faults_of(house, package)


async def _change(house: House, position: Position, change: str) -> UUID:
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await house.tampers(f"UPDATE records SET {change} {where}", **vars(position))
    (row,) = await rows(house.audit.service.database, f"SELECT event_id FROM records {where}", **vars(position))
    return UUID(str(row.event_id))


async def test_a_row_that_is_gone_leaves_a_gap(house: House, package: PackageId) -> None:
    await house.hears_a_story(package)
    positions = await house.kept(package, count=LINES)
    where = 'WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    await house.tampers(f"DELETE FROM records {where}", **vars(positions[4]))
    found = await faults_of(house, package)
    assert [(kind, position) for kind, position, _ in found] == [(FaultKind.GAP, positions[5])]
    assert (FaultKind.MISSING, positions[5].partition, positions[5].offset) in await whole_record(house)


async def whole_record(house: House) -> set[tuple[str, int, int]]:
    """What is wrong with the whole record, asked for in small parts."""
    found: set[tuple[str, int, int]] = set()
    records, parameters = 0, "records=25"
    while True:
        answer = await house.asks(f"/v1/verification?{parameters}", "operations:manage")
        assert answer.status == 200
        records += answer.body["records"]
        found |= {(each["kind"], each["partition"], each["offset"]) for each in answer.body["faults"]}
        if answer.body["next"] is None:
            break
        parameters = f"records=25&cursor={answer.body['next']}"
    assert records == await number(house.audit.service.database, "SELECT count(*) FROM records")
    return found
