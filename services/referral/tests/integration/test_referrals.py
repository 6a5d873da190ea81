"""Reading of referrals over HTTP: one referral, lists of referrals, and the person of a package."""

from typing import Any

import pytest

from contracts.events.offers import OfferDeclined, OfferMade
from contracts.events.searches import PackagePlaced, SourcingStarted, StageEntered
from testkit.databases import fetch_number
from testkit.http_client import ServiceClient
from testkit.referral.api_steps import (
    ALDER,
    a_unique_body,
    list_event_types,
    post_referral,
    publish_sourcing_events,
    wait_for_records,
    wait_for_status,
)
from testkit.referral.builders import to_provider_id
from testkit.referral.harness import ReferralHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("referral")

BIRCH = to_provider_id("Birch")
UNKNOWN_ID = "0197a3c0-0000-7000-8000-000000000000"


async def test_the_own_council_sees_the_person_and_the_history(client: ServiceClient, harness: ReferralHarness) -> None:
    response = await post_referral(client, reference="OURS-42")
    await publish_sourcing_events(
        harness, response.body["package_id"], SourcingStarted, StageEntered, OfferMade, OfferDeclined, OfferMade
    )
    location = response.headers["Location"]

    async def read_referral_with_two_offers() -> Any:
        body = (await client.get(location)).body
        return body if body["offers_made"] == 2 else None

    body = await wait_until(read_referral_with_two_offers, within=30)
    assert (body["status"], body["reference"]) == ("sourcing", "OURS-42")
    assert body["person"]["address"]["postcode"] == "CO1 1PJ"
    assert [entry["what"] for entry in body["history"]] == [
        "requested",
        "sourcing started",
        "stage entered",
        "offer made",
        "offer declined",
        "offer made",
    ]
    assert body["history"][4]["provider_id"] == str(ALDER)
    assert (await client.get(location)).headers["Cache-Control"] == "no-store"


async def test_a_council_cannot_see_another_councils_referrals(client: ServiceClient, harness: ReferralHarness) -> None:
    body = a_unique_body()
    response = await client.post("/v1/referrals", body)
    foreign = client.with_council("another-council")
    location = response.headers["Location"]
    assert (await foreign.post("/v1/referrals", body)).status == 503, (
        "the refusal does not depend on the other council's referral"
    )
    unknown = await foreign.get(f"/v1/referrals/{UNKNOWN_ID}")
    assert (unknown.status, (await foreign.get(location)).text) == (404, unknown.text)
    withdrawal = {"reason": "moved-away"}
    refused = await foreign.post(f"{location}/withdrawal", withdrawal)
    assert (refused.status, refused.text) == (404, unknown.text)
    assert (await foreign.get("/v1/referrals")).body["items"] == []
    assert (await client.get(location)).body["status"] == "requested"


async def test_a_list_has_pages_and_no_personal_data(client: ServiceClient) -> None:
    posted = [(await post_referral(client)).body["referral_id"] for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await client.get(f"/v1/referrals?limit=2{cursor}")).body
        seen += [item["referral_id"] for item in page["items"]]
        assert all("person" not in item for item in page["items"])
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert set(posted) <= set(seen)
    assert len(seen) == len(set(seen))


async def test_a_list_can_be_filtered_by_status(client: ServiceClient, harness: ReferralHarness) -> None:
    response = await post_referral(client)
    await publish_sourcing_events(harness, response.body["package_id"], PackagePlaced)
    await wait_for_status(client, response.headers["Location"], "placed")
    items = (await client.get("/v1/referrals?status=placed&limit=200")).body["items"]
    assert response.body["referral_id"] in [item["referral_id"] for item in items]
    assert {item["status"] for item in items} == {"placed"}
    assert (await client.get("/v1/referrals?status=lost")).status == 422


async def test_the_placed_provider_sees_the_person_and_the_disclosure_is_published(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    response = await post_referral(client)
    package_id = response.body["package_id"]
    path, alder = f"/v1/packages/{package_id}/person", client.with_provider(ALDER)
    early = await alder.get(path)
    assert (early.status, early.headers["Retry-After"]) == (404, "1")
    await publish_sourcing_events(harness, package_id, PackagePlaced)
    await wait_for_status(client, response.headers["Location"], "placed")
    shown = await alder.request("GET", path, headers={"Idempotency-Key": "not stored"})
    assert (shown.status, shown.headers["Cache-Control"]) == (200, "no-store")
    assert shown.body["address"]["lines"] == ["1 Invented Street", "Colchester"]
    records = await wait_for_records(harness, package_id, at_least=3)
    assert list_event_types(records, source="referral") == [
        "PackageRequested",
        "PersonDisclosed",
    ]
    query = "SELECT count(*) FROM idempotency_keys WHERE answer LIKE '%Invented Street%'"
    answers = await fetch_number(harness.database, query)
    assert answers == 0
    for other in (client.with_provider(BIRCH), alder.with_council("another-council")):
        refused = await other.get(path)
        assert (refused.status, refused.text) == (404, early.text)
    assert (await client.get(path)).status == 403
