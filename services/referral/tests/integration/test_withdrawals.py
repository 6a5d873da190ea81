"""Withdrawal of referrals over HTTP, with the events that end it."""

from datetime import timedelta

import pytest

from contracts.events.searches import PackagePlaced, PlacementVoided, SourcingStopped
from testkit.chain_checker import find_chain_faults
from testkit.clocks import MONDAY_NINE
from testkit.http_client import ServiceClient
from testkit.http_response import list_invalid_fields
from testkit.referral.api_steps import (
    ALDER,
    list_event_types,
    post_referral,
    publish_sourcing_events,
    wait_for_records,
    wait_for_status,
)
from testkit.referral.harness import ReferralHarness

pytestmark = pytest.mark.xdist_group("referral")


async def test_a_withdrawal_is_requested_and_completed_after_sourcing_stops(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    response = await post_referral(client)
    location, package_id = response.headers["Location"], response.body["package_id"]
    first = await client.post(f"{location}/withdrawal", {"reason": "family-will-care"})
    again = await client.post(f"{location}/withdrawal", {"reason": "moved-away"})
    assert (first.status, first.text) == (202, again.text)
    assert (first.body["status"], again.body["reason"]) == ("withdrawal requested", "family-will-care")
    await publish_sourcing_events(harness, package_id, SourcingStopped)
    body = await wait_for_status(client, location, "withdrawn")
    assert [entry["what"] for entry in body["history"]][-3:] == [
        "withdrawal requested",
        "sourcing stopped",
        "withdrawn",
    ]
    records = await wait_for_records(harness, package_id, at_least=4)
    assert list_event_types(records, source="referral") == [
        "PackageRequested",
        "WithdrawalRequested",
        "PackageWithdrawn",
    ]
    assert find_chain_faults(records) == []


async def test_a_reason_that_the_framework_does_not_declare_is_refused_with_the_reasons(client: ServiceClient) -> None:
    location = (await post_referral(client)).headers["Location"]
    refused = await client.post(f"{location}/withdrawal", {"reason": "bad-weather"})
    assert (refused.status, list_invalid_fields(refused)) == (422, ["#/reason"])
    assert "choose no-longer-needed or person-died or" in refused.body["errors"][0]["detail"]
    assert (await client.get(location)).body["status"] == "requested"


async def test_the_provider_cannot_see_the_person_after_a_withdrawal(
    client: ServiceClient, harness: ReferralHarness
) -> None:
    response = await post_referral(client)
    location, package_id = response.headers["Location"], response.body["package_id"]
    await publish_sourcing_events(harness, package_id, PackagePlaced)
    await wait_for_status(client, location, "placed")
    await client.post(f"{location}/withdrawal", {"reason": "person-died"})
    await publish_sourcing_events(harness, package_id, PlacementVoided)
    await wait_for_status(client, location, "withdrawn")
    assert (await client.with_provider(ALDER).get(f"/v1/packages/{package_id}/person")).status == 404


async def test_a_withdrawal_after_the_start_of_care_is_refused(client: ServiceClient, harness: ReferralHarness) -> None:
    response = await post_referral(client)
    location, package_id = response.headers["Location"], response.body["package_id"]
    await publish_sourcing_events(harness, package_id, PackagePlaced)
    await wait_for_status(client, location, "placed")
    harness.clock.advance(timedelta(days=7))
    try:
        refused = await client.post(f"{location}/withdrawal", {"reason": "moved-away"})
    finally:
        harness.clock.set_to(MONDAY_NINE)
    assert (refused.status, refused.body["type"].rsplit("/", 1)[1]) == (409, "care-has-started")
