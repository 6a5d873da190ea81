"""A council's system posts, follows and withdraws referrals, over HTTP, PostgreSQL and Kafka."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from contracts.catalogue import PACKAGES
from contracts.events.base import PackageEvent
from contracts.events.packages import (
    OfferDeclined,
    OfferMade,
    PackagePlaced,
    PlacementVoided,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.examples import COLCHESTER
from contracts.ids import PackageId
from testkit.chain_checker import faults_in
from testkit.clocks import MONDAY_NINE
from testkit.databases import number
from testkit.http_client import Client, ServiceResponse, list_named_fields
from testkit.referral.builders import a_body, a_body_about, a_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.topics import Kept, everything_in
from testkit.waiting import until

pytestmark = pytest.mark.xdist_group("referral")

ALDER, BIRCH = a_provider_id("Alder"), a_provider_id("Birch")
NOBODY_HAS = "0197a3c0-0000-7000-8000-000000000000"


class Somebody:
    """Bodies about people who are all different, so that no test stands in another's way."""

    _count = 0

    @classmethod
    def new(cls, **changed: object) -> dict[str, Any]:  # JSON, as a council's system writes it
        cls._count += 1
        person = a_body_about(name=f"Test Person {cls._count}", nhs_number=None)["person"]
        return a_body(**{"person": person, **changed})


async def posted(client: Client, **changed: object) -> ServiceResponse:
    reply = await client.post("/v1/referrals", Somebody.new(**changed))
    assert reply.status == 201, reply.text
    return reply


async def on_kafka(harness: ReferralHarness, package_id: str, *, at_least: int = 1) -> list[Kept]:
    async def enough() -> list[Kept]:
        records = await everything_in(harness.bootstrap, PACKAGES, keys={package_id})
        return records if len(records) >= at_least else []

    return await until(enough, within=30)


def types_of(records: list[Kept]) -> list[str]:
    return [record.header("ce_type").removeprefix("calloff.").removesuffix(".v1") for record in records]


async def until_status(client: Client, location: str, status: str) -> Any:
    async def there() -> Any:
        body = (await client.get(location)).body
        return body if body["status"] == status else None

    return await until(there, within=30)


async def say(harness: ReferralHarness, package_id: str, *events: type[PackageEvent]) -> None:
    """Sourcing says this about the package; every provider in it is Alder."""
    about_alder = {OfferMade, OfferDeclined, PackagePlaced, PlacementVoided}
    for event in events:
        changed = {"provider_id": ALDER} if event in about_alder else {}
        await harness.publish_events(PackageId(UUID(package_id)), event, **changed)


async def test_a_referral_becomes_a_package_on_the_topic(client: Client, harness: ReferralHarness) -> None:
    reply = await posted(client)
    assert reply.headers["Location"] == f"/v1/referrals/{reply.body['referral_id']}"
    assert (reply.body["status"], reply.body["warnings"]) == ("requested", [])
    records = await on_kafka(harness, reply.body["package_id"])
    assert types_of(records) == ["PackageRequested"]
    assert records[0].header("ce_council") == client.council
    assert b'"area":"E07000071"' in records[0].value
    assert faults_in(records) == []


async def test_its_own_council_sees_the_person_and_what_has_happened(client: Client, harness: ReferralHarness) -> None:
    reply = await posted(client, reference="OURS-42")
    await say(harness, reply.body["package_id"], SourcingStarted, StageEntered, OfferMade, OfferDeclined, OfferMade)
    location = reply.headers["Location"]

    async def two_offers() -> Any:
        body = (await client.get(location)).body
        return body if body["offers_made"] == 2 else None

    body = await until(two_offers, within=30)
    assert (body["status"], body["reference"]) == ("sourcing", "OURS-42")
    assert body["person"]["address"]["postcode"] == "CO1 1PJ"
    assert [line["what"] for line in body["history"]] == [
        "requested",
        "sourcing started",
        "stage entered",
        "offer made",
        "offer declined",
        "offer made",
    ]
    assert body["history"][4]["provider_id"] == str(ALDER)
    assert (await client.get(location)).headers["Cache-Control"] == "no-store"


async def test_an_invalid_nhs_number_is_reported_and_taken_in(client: Client) -> None:
    body = Somebody.new()
    body["person"]["nhs_number"] = "999 000 0019"
    reply = await client.post("/v1/referrals", body)
    assert reply.status == 201
    assert [each["pointer"] for each in reply.body["warnings"]] == ["#/person/nhs_number"]


async def test_a_repeat_with_the_same_key_gets_the_same_answer_and_does_nothing(
    client: Client, harness: ReferralHarness
) -> None:
    body = Somebody.new()
    first = await client.post("/v1/referrals", body, key="once")
    before = await number(harness.database, "SELECT count(*) FROM referrals")
    again = await client.post("/v1/referrals", body, key="once")
    assert (again.status, again.text, again.headers["Location"]) == (201, first.text, first.headers["Location"])
    assert await number(harness.database, "SELECT count(*) FROM referrals") == before
    assert types_of(await on_kafka(harness, first.body["package_id"])) == ["PackageRequested"]


async def test_the_same_key_with_another_body_is_refused(client: Client) -> None:
    await client.post("/v1/referrals", Somebody.new(), key="reused")
    assert (await client.post("/v1/referrals", Somebody.new(), key="reused")).status == 422


async def test_the_same_key_many_times_at_once_is_one_referral(client: Client, harness: ReferralHarness) -> None:
    before = await number(harness.database, "SELECT count(*) FROM referrals")
    for attempt in range(10):
        body = Somebody.new()
        replies = await asyncio.gather(*(client.post("/v1/referrals", body, key=f"race-{attempt}") for _ in range(4)))
        assert {reply.status for reply in replies} == {201}
        assert len({reply.text for reply in replies}) == 1
    assert await number(harness.database, "SELECT count(*) FROM referrals") == before + 10


async def test_of_two_identical_referrals_at_once_one_is_taken_and_the_other_told_which(client: Client) -> None:
    for _ in range(20):
        body = Somebody.new()
        replies = await asyncio.gather(*(client.post("/v1/referrals", body) for _ in range(2)))
        taken, refused = sorted(replies, key=lambda reply: reply.status)
        assert (taken.status, refused.status) == (201, 409), refused.text
        assert refused.body["type"].endswith("/open-referral-exists")
        assert taken.body["referral_id"] in refused.body["detail"]


async def test_a_reason_lets_a_second_one_in(client: Client) -> None:
    body = Somebody.new()
    assert (await client.post("/v1/referrals", body)).status == 201
    second = {**body, "despite_open_referral": "a separate package for the same person"}
    assert (await client.post("/v1/referrals", second)).status == 201


async def test_a_council_learns_nothing_of_anothers_people(client: Client, harness: ReferralHarness) -> None:
    body = Somebody.new()
    reply = await client.post("/v1/referrals", body)
    foreign = client.for_council("another-council")
    location = reply.headers["Location"]
    assert (await foreign.post("/v1/referrals", body)).status == 503, "no framework of it is known, and nothing else"
    unknown = await foreign.get(f"/v1/referrals/{NOBODY_HAS}")
    assert (unknown.status, (await foreign.get(location)).text) == (404, unknown.text)
    withdrawal = {"reason": "moved away"}
    refused = await foreign.post(f"{location}/withdrawal", withdrawal)
    assert (refused.status, refused.text) == (404, unknown.text)
    assert (await foreign.get("/v1/referrals")).body["items"] == []
    assert (await client.get(location)).body["status"] == "requested"


async def test_a_list_shows_nobody_and_goes_page_by_page(client: Client) -> None:
    taken = [(await posted(client)).body["referral_id"] for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/v1/referrals?limit=2{cursor}")).body
        seen += [item["referral_id"] for item in page["items"]]
        assert all("person" not in item for item in page["items"])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert set(taken) <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_list_can_be_asked_for_one_status(client: Client, harness: ReferralHarness) -> None:
    reply = await posted(client)
    await say(harness, reply.body["package_id"], PackagePlaced)
    await until_status(client, reply.headers["Location"], "placed")
    items = (await client.get("/v1/referrals?status=placed&limit=200")).body["items"]
    assert reply.body["referral_id"] in [item["referral_id"] for item in items]
    assert {item["status"] for item in items} == {"placed"}
    assert (await client.get("/v1/referrals?status=lost")).status == 422


async def test_the_placed_provider_is_shown_the_person_and_that_is_on_the_topic(
    client: Client, harness: ReferralHarness
) -> None:
    reply = await posted(client)
    package_id = reply.body["package_id"]
    path, alder = f"/v1/packages/{package_id}/person", client.for_provider(ALDER)
    early = await alder.get(path)
    assert (early.status, early.headers["Retry-After"]) == (404, "1")
    await say(harness, package_id, PackagePlaced)
    await until_status(client, reply.headers["Location"], "placed")
    shown = await alder.call("GET", path, headers={"Idempotency-Key": "not kept"})
    assert (shown.status, shown.headers["Cache-Control"]) == (200, "no-store")
    assert shown.body["address"]["lines"] == ["1 Invented Street", "Colchester"]
    records = await on_kafka(harness, package_id, at_least=3)
    assert types_of([each for each in records if "referral" in each.header("ce_source")]) == [
        "PackageRequested",
        "PersonDisclosed",
    ]
    query = "SELECT count(*) FROM idempotency_keys WHERE answer LIKE '%Invented Street%'"
    answers = await number(harness.database, query)
    assert answers == 0
    for nobody in (client.for_provider(BIRCH), alder.for_council("another-council")):
        refused = await nobody.get(path)
        assert (refused.status, refused.text) == (404, early.text)
    assert (await client.get(path)).status == 403


async def test_a_withdrawal_is_asked_for_answered_and_done(client: Client, harness: ReferralHarness) -> None:
    reply = await posted(client)
    location, package_id = reply.headers["Location"], reply.body["package_id"]
    first = await client.post(f"{location}/withdrawal", {"reason": "family will care"})
    again = await client.post(f"{location}/withdrawal", {"reason": "moved away"})
    assert (first.status, first.text) == (202, again.text)
    assert (first.body["status"], again.body["reason"]) == ("withdrawal requested", "family will care")
    await say(harness, package_id, SourcingStopped)
    body = await until_status(client, location, "withdrawn")
    assert [line["what"] for line in body["history"]][-3:] == [
        "withdrawal requested",
        "sourcing stopped",
        "withdrawn",
    ]
    records = await on_kafka(harness, package_id, at_least=4)
    assert types_of([each for each in records if "referral" in each.header("ce_source")]) == [
        "PackageRequested",
        "WithdrawalRequested",
        "PackageWithdrawn",
    ]
    assert faults_in(records) == []


async def test_a_withdrawn_placement_takes_the_person_from_the_provider(
    client: Client, harness: ReferralHarness
) -> None:
    reply = await posted(client)
    location, package_id = reply.headers["Location"], reply.body["package_id"]
    await say(harness, package_id, PackagePlaced)
    await until_status(client, location, "placed")
    await client.post(f"{location}/withdrawal", {"reason": "person has died"})
    await say(harness, package_id, PlacementVoided)
    await until_status(client, location, "withdrawn")
    assert (await client.for_provider(ALDER).get(f"/v1/packages/{package_id}/person")).status == 404


async def test_once_care_has_started_it_is_no_withdrawal(client: Client, harness: ReferralHarness) -> None:
    reply = await posted(client)
    location, package_id = reply.headers["Location"], reply.body["package_id"]
    await say(harness, package_id, PackagePlaced)
    await until_status(client, location, "placed")
    harness.clock.advance(timedelta(days=7))
    try:
        refused = await client.post(f"{location}/withdrawal", {"reason": "moved away"})
    finally:
        harness.clock.set_to(MONDAY_NINE)
    assert (refused.status, refused.body["type"].rsplit("/", 1)[1]) == (409, "care-has-started")


async def test_an_unknown_postcode_asks_for_the_district(client: Client) -> None:
    body = Somebody.new()
    body["person"]["address"]["postcode"] = "ZZ99 3VZ"
    refused = await client.post("/v1/referrals", body)
    assert list_named_fields(refused) == ["#/person/address/postcode", "#/district"]
    taken = await client.post("/v1/referrals", {**body, "district": COLCHESTER})
    assert taken.status == 201
    care = (await client.get(taken.headers["Location"])).body["care"]
    assert (care["outward_code"], care["area"]) == ("ZZ99", COLCHESTER)


@pytest.mark.parametrize(
    ("scopes", "status"),
    [((), 403), (("referrals:read",), 403), (("offers:answer",), 403), (("referrals:write",), 201)],
)
async def test_only_a_system_that_may_write_can_post(client: Client, scopes: tuple[str, ...], status: int) -> None:
    assert (await client.with_scopes(*scopes).post("/v1/referrals", Somebody.new())).status == status


async def test_without_a_token_nobody_is_told_anything(client: Client) -> None:
    reply = await client.call("GET", "/v1/referrals", headers={"Authorization": ""})
    assert reply.status == 401
