"""A council's webhook endpoint: signed notifications in order, without personal data, while it is enabled."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook

from contracts.events.listings import PackageListed, StillListed
from contracts.events.searches import PackagePlaced, SourcingStarted, SourcingStopped, StageEntered
from testkit.databases import fetch_number, fetch_rows
from testkit.referral.builders import to_provider_id
from testkit.referral.harness import ENDPOINT, READ, WRITE, ReferralHarness
from testkit.waiting import wait_until

pytestmark = pytest.mark.xdist_group("referral")

PLANTED = ("Quillfeather", "1931-12-09", "Plantagenet Mews", "CO4", "OUR-REFERENCE-1", "needs-planted")


async def test_signed_notifications_arrive_in_order_without_personal_data(
    harness: ReferralHarness,
) -> None:
    secret = await harness.register_endpoint()
    assert secret is not None
    package, referral = await harness.post_referral()
    await harness.publish_events(package, SourcingStarted, StageEntered, PackageListed, StillListed)
    await harness.publish_events(package, PackagePlaced, provider_id=to_provider_id("Alder"))
    expected = [
        "referral.received",
        "package.changed",
        "package.changed",
        "package.not_placed_yet",
        "package.not_placed_yet",
        "package.placed",
    ]
    await wait_until(lambda: len(harness.receiver.find_bodies(package)) == len(expected), within=30)
    assert harness.receiver.list_types(package) == expected
    placed = harness.receiver.find_bodies(package)[-1]["data"]
    assert (placed["status"], placed["provider_id"]) == ("placed", str(to_provider_id("Alder")))
    assert placed["links"] == {"referral": f"https://referral.example/v1/referrals/{referral}"}
    for headers, body in harness.receiver.requests:
        assert Webhook(secret).verify(body, headers) == json.loads(body)
        assert not any(word in body.decode() + str(headers) for word in PLANTED)
    queued = await fetch_rows(harness.database, "SELECT * FROM deliveries")
    assert not any(word in str(row) for row in queued for word in PLANTED)
    details = await harness.request("GET", f"/v1/referrals/{referral}", scope=READ)
    assert [entry["what"] for entry in details.body["history"]][-3:] == [
        "listed for all to propose",
        "still listed",
        "placed",
    ]


async def test_a_withdrawal_is_notified_when_requested_and_when_completed(
    harness: ReferralHarness,
) -> None:
    await harness.register_endpoint()
    package, referral = await harness.post_referral()
    await harness.request("POST", f"/v1/referrals/{referral}/withdrawal", {"reason": "person-died"})
    await harness.publish_events(package, SourcingStopped)
    await wait_until(lambda: "package.stopped" in harness.receiver.list_types(package), within=30)
    assert harness.receiver.list_types(package) == ["referral.received", "package.changed", "package.stopped"]
    assert [each["data"]["status"] for each in harness.receiver.find_bodies(package)][1:] == [
        "withdrawal requested",
        "withdrawn",
    ]
    assert "died" not in str(harness.receiver.find_bodies(package))


async def test_an_endpoint_is_shown_rotated_and_disabled_and_its_secret_is_shown_once(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    assert (await harness.request("GET", ENDPOINT)).body == {
        "url": harness.receiver.url,
        "enabled": True,
        "disabled_because": None,
        "failing_since": None,
        "failing_notice_at": None,
    }
    key = {"Idempotency-Key": str(uuid4())}
    path = f"{ENDPOINT}/rotation"
    rotated = await harness.referral.request("POST", path, WRITE, headers=key, council=harness.council)
    again = await harness.referral.request("POST", path, WRITE, headers=key, council=harness.council)
    assert (rotated.body["secret"].startswith("whsec_"), again.body) == (True, {"secret": None})
    for table in ("idempotency_keys", "endpoints", "deliveries"):
        query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
        bare = rotated.body["secret"].removeprefix("whsec_")
        assert await fetch_number(harness.database, query, secret=bare) == 0
    for _ in range(2):
        assert (await harness.request("DELETE", ENDPOINT)).status == 204
    shown = (await harness.request("GET", ENDPOINT)).body
    assert (shown["enabled"], shown["disabled_because"]) == (False, "disabled by the council")
    while_disabled, referral = await harness.post_referral()
    await wait_until(lambda: list_messages(harness, referral), within=30)  # with "endpoint disabled", for good
    await harness.register_endpoint()
    while_enabled, _ = await harness.post_referral()
    await wait_until(lambda: harness.receiver.list_types(while_enabled), within=30)
    assert harness.receiver.list_types(while_disabled) == []


async def list_messages(harness: ReferralHarness, referral: UUID) -> list[dict[str, Any]]:
    """Lists the messages about a referral that were not delivered."""
    found = (await harness.request("GET", "/v1/council/messages")).body["items"]
    return [each for each in found if each["about"] == str(referral)]


async def test_what_a_disabled_endpoint_misses_is_read_and_sent_again(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    await harness.request("DELETE", ENDPOINT)
    package, referral = await harness.post_referral()
    (message,) = await wait_until(lambda: list_messages(harness, referral), within=30)
    assert (message["kind"], message["failure"]) == ("referral.received", "endpoint disabled")
    await harness.register_endpoint()
    replay = f"/v1/council/messages/{message['webhook_id']}/replay"
    assert (await harness.request("POST", replay, council="another")).status == 404
    assert (await harness.request("POST", replay)).status == 202
    await wait_until(lambda: harness.receiver.list_types(package), within=30)
    assert harness.receiver.find_bodies(package) == [message["content"]]
    assert not any(word in str(message) for word in PLANTED)
    acknowledgement = {"webhook_ids": [message["webhook_id"]]}
    assert (await harness.request("POST", "/v1/council/messages/acknowledgement", acknowledgement)).status == 422
    since = {"since": harness.clock.now().isoformat()}
    assert (await harness.request("POST", "/v1/council/messages/replay", since)).status == 202


async def test_an_endpoint_that_answers_410_is_disabled(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    harness.receiver.status = 410
    await harness.post_referral()

    async def is_disabled() -> bool:
        return (await harness.request("GET", ENDPOINT)).body["disabled_because"] == "gone"

    await wait_until(is_disabled, within=30)
    harness.receiver.status = 204


async def test_a_council_can_use_its_own_endpoint_only(harness: ReferralHarness) -> None:
    await harness.register_endpoint()
    for method, path in (("GET", ENDPOINT), ("POST", f"{ENDPOINT}/rotation")):
        assert (await harness.request(method, path, council="another")).status == 404
    assert (await harness.request("DELETE", ENDPOINT, council="another")).status == 204
    assert (await harness.request("GET", ENDPOINT)).body["enabled"] is True


@pytest.mark.parametrize("url", ["http://council.example/", "https://127.0.0.1/", "https://user:word@council.example/"])
async def test_an_endpoint_url_must_be_on_the_public_internet(harness: ReferralHarness, url: str) -> None:
    refused = await harness.request("PUT", ENDPOINT, {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


@pytest.mark.parametrize(("method", "path"), [("PUT", ""), ("GET", ""), ("DELETE", ""), ("POST", "/rotation")])
async def test_a_caller_with_read_scope_cannot_use_the_endpoint_routes(
    harness: ReferralHarness, method: str, path: str
) -> None:
    answer = await harness.request(method, ENDPOINT + path, {}, scope=READ)
    assert (answer.status, answer.body["title"]) == (403, "Forbidden")
