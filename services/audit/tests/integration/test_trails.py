"""Trails and why-not over HTTP, from events on Kafka."""

from uuid import uuid4

from contracts.ids import PackageId, ProviderId
from testkit.audit.complete_case import PACKAGE_RECORD_COUNT
from testkit.audit.harness import AuditHarness


async def test_a_trail_has_a_line_for_each_event(harness: AuditHarness, package: PackageId) -> None:
    story = await harness.send_complete_case(package)
    answer = await harness.get(f"/v1/packages/{package}/trail")
    assert (answer.status, answer.body["verified"]) == (200, True)
    lines = answer.body["lines"]
    assert [line["line"] for line in lines] == list(range(1, PACKAGE_RECORD_COUNT + 1))
    assert lines[3]["what"] == "Alder (rank 1 of tier 1) was passed over: embargoed"
    assert lines[3]["why"]["line"] == 1
    assert lines[5]["what"] == "Birch declined: no capacity"
    assert lines[5]["who"] == "Cedar"
    assert lines[8]["what"].startswith("The package was placed with Cedar (rank 3 of tier 1): 3.50 hours a week")
    assert [line["sequence"] for line in lines] == [1, 1, 2, 3, 4, 5, 6, 7, 8]
    assert lines[0]["local"] == f"Mon 2 Mar 2026 09:00:{story.record_builder.at.second - 8:02d} GMT"
    assert await harness.find_violations(*await harness.wait_for_records(package, count=PACKAGE_RECORD_COUNT)) == []


async def test_why_not_has_a_verdict_for_every_provider(harness: AuditHarness, package: PackageId) -> None:
    story = await harness.send_complete_case(package)
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
    await harness.send_complete_case(package)
    for path in (
        f"/v1/packages/{package}/trail",
        f"/v1/packages/{package}/why-not/{uuid4()}",
        f"/v1/verification?package_id={package}",
    ):
        assert (await harness.get(path, council="another-council")).status == 404
        assert (await harness.get(path)).status == 200
        assert (await harness.get(path, "offers:answer")).status == 403
        assert (await harness.get(path.replace(str(package), str(uuid4()), 1))).status == 404
