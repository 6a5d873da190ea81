"""Submission of referrals over HTTP: validation, idempotency keys, and one open referral for a person."""

import asyncio

import pytest

from contracts.catalogue import decode
from contracts.events.packages import PackageRequested
from contracts.events.searches import PackagePlaced
from contracts.example_words import LOT
from contracts.examples import COLCHESTER
from testkit.chain_checker import find_chain_faults
from testkit.databases import fetch_number
from testkit.http_client import ServiceClient
from testkit.http_response import list_invalid_fields
from testkit.referral.api_steps import (
    ALDER,
    a_unique_body,
    list_event_types,
    post_referral,
    publish_sourcing_events,
    wait_for_records,
    wait_for_status,
)
from testkit.referral.harness import ReferralHarness

pytestmark = pytest.mark.xdist_group("referral")


async def test_a_posted_referral_publishes_a_package(client: ServiceClient, harness: ReferralHarness) -> None:
    response = await post_referral(client)
    assert response.headers["Location"] == f"/v1/referrals/{response.body['referral_id']}"
    assert (response.body["status"], response.body["warnings"]) == ("requested", [])
    records = await wait_for_records(harness, response.body["package_id"])
    assert list_event_types(records) == ["PackageRequested"]
    assert records[0].get_header("ce_council") == client.council
    assert b'"area":"E07000071"' in records[0].value
    assert find_chain_faults(records) == []


async def test_an_invalid_nhs_number_is_accepted_with_a_warning(client: ServiceClient) -> None:
    body = a_unique_body()
    body["person"]["nhs_number"] = "999 000 0019"
    response = await client.post("/v1/referrals", body)
    assert response.status == 201
    assert [warning["pointer"] for warning in response.body["warnings"]] == ["#/person/nhs_number"]


async def test_a_repeated_request_with_the_same_key_gets_the_same_response_without_effect(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    body = a_unique_body()
    first = await client.post("/v1/referrals", body, key="once")
    before = await fetch_number(harness.database, "SELECT count(*) FROM referrals")
    again = await client.post("/v1/referrals", body, key="once")
    assert (again.status, again.text, again.headers["Location"]) == (201, first.text, first.headers["Location"])
    assert await fetch_number(harness.database, "SELECT count(*) FROM referrals") == before
    assert list_event_types(await wait_for_records(harness, first.body["package_id"])) == ["PackageRequested"]


async def test_the_same_key_with_another_body_is_refused(client: ServiceClient) -> None:
    await client.post("/v1/referrals", a_unique_body(), key="reused")
    assert (await client.post("/v1/referrals", a_unique_body(), key="reused")).status == 422


async def test_concurrent_requests_with_the_same_key_create_one_referral(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    before = await fetch_number(harness.database, "SELECT count(*) FROM referrals")
    for attempt in range(10):
        body = a_unique_body()
        responses = await asyncio.gather(*(client.post("/v1/referrals", body, key=f"race-{attempt}") for _ in range(4)))
        assert {response.status for response in responses} == {201}
        assert len({response.text for response in responses}) == 1
    assert await fetch_number(harness.database, "SELECT count(*) FROM referrals") == before + 10


async def test_of_two_concurrent_identical_referrals_one_is_accepted_and_the_refusal_names_it(
    client: ServiceClient,
) -> None:
    for _ in range(20):
        body = a_unique_body()
        responses = await asyncio.gather(*(client.post("/v1/referrals", body) for _ in range(2)))
        accepted, refused = sorted(responses, key=lambda response: response.status)
        assert (accepted.status, refused.status) == (201, 409), refused.text
        assert refused.body["type"].endswith("/open-referral-exists")
        assert accepted.body["referral_id"] in refused.body["detail"]


async def test_a_second_referral_with_a_reason_is_accepted(client: ServiceClient) -> None:
    body = a_unique_body()
    assert (await client.post("/v1/referrals", body)).status == 201
    second = {**body, "despite_open_referral": "a separate package for the same person"}
    assert (await client.post("/v1/referrals", second)).status == 201


async def test_an_unknown_postcode_requires_the_area(client: ServiceClient) -> None:
    body = a_unique_body()
    body["person"]["address"]["postcode"] = "ZZ99 3VZ"
    refused = await client.post("/v1/referrals", body)
    assert list_invalid_fields(refused) == ["#/person/address/postcode", "#/area"]
    accepted = await client.post("/v1/referrals", {**body, "area": COLCHESTER})
    assert accepted.status == 201
    care = (await client.get(accepted.headers["Location"])).body["care"]
    assert (care["outward_code"], care["area"]) == ("ZZ99", COLCHESTER)


async def test_an_undeclared_word_is_refused_with_those_to_choose_from(client: ServiceClient) -> None:
    words = {"service_type": "gardening", "route": "by-post", "needs": ["juggling"], "lot": "no-such-lot"}
    refused = await client.post("/v1/referrals", a_unique_body(**words))
    details = {error["pointer"]: error["detail"] for error in refused.body["errors"]}
    assert refused.status == 422
    assert {pointer: detail.partition("; ")[2] for pointer, detail in details.items()} == {
        "#/service_type": "choose live-in or night-sleep or personal-care",
        "#/route": "choose community or crisis or hospital-discharge",
        "#/lot": "choose home-care",
        "#/needs/0": "choose dementia or hoist or key-safe or peg-feeding or pets-in-home or smoker-in-home",
    }


async def test_an_urgent_referral_says_since_when(client: ServiceClient) -> None:
    urgent = {"route": "hospital-discharge", "urgent_since": "2026-03-02T08:30:00Z"}
    posted = await post_referral(client, **urgent)
    shown = (await client.get(posted.headers["Location"])).body
    assert (shown["lot"], shown["area"], shown["route"], shown["urgent"]) == (
        "home-care",
        COLCHESTER,
        "hospital-discharge",
        True,
    )
    assert shown["care"]["urgent_since"] == "2026-03-02T08:30:00Z"


async def test_a_package_can_follow_a_placed_one_of_the_same_person(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    body = a_unique_body(service_type="night-sleep")
    first = await client.post("/v1/referrals", body)
    package_id = first.body["package_id"]
    later = {**body, "service_type": "personal-care", "follows_package": package_id}
    early = await client.post("/v1/referrals", later)
    assert (early.status, list_invalid_fields(early)) == (422, ["#/follows_package"])
    await publish_sourcing_events(harness, package_id, PackagePlaced)
    await wait_for_status(client, first.headers["Location"], "placed")
    stranger = await client.post("/v1/referrals", a_unique_body(follows_package=package_id))
    assert "another person" in stranger.text
    posted = await client.post("/v1/referrals", later)
    assert posted.status == 201, posted.text
    (record,) = await wait_for_records(harness, posted.body["package_id"])
    follows = decode(PackageRequested, record.value).follows
    assert follows is not None
    assert (str(follows.package_id), follows.lot, follows.provider_id) == (package_id, LOT, ALDER)


@pytest.mark.parametrize(
    ("scopes", "status"),
    [((), 403), (("referrals:read",), 403), (("offers:answer",), 403), (("referrals:write",), 201)],
)
async def test_only_a_system_that_may_write_can_post(
    client: ServiceClient, scopes: tuple[str, ...], status: int
) -> None:
    assert (await client.with_scopes(*scopes).post("/v1/referrals", a_unique_body())).status == status


async def test_a_request_without_a_token_is_refused(client: ServiceClient) -> None:
    response = await client.request("GET", "/v1/referrals", headers={"Authorization": ""})
    assert response.status == 401
