"""Webhooks that a provider's endpoint did not accept: read, acknowledged and sent again over HTTP."""

from datetime import timedelta
from uuid import uuid4

import pytest
from standardwebhooks import WebhookVerificationError

from contracts.events.offers import OfferDelivered, OfferUndeliverable
from testkit.provider_registry.harness import OPERATE, RegistryHarness
from testkit.waiting import wait_until


async def test_an_offer_that_did_not_arrive_is_read_and_sent_again_and_starts_no_clock(
    harness: RegistryHarness,
) -> None:
    alder = await harness.register_provider()
    secret = await harness.register_endpoint(alder)
    harness.receiver.statuses[str(alder)] = 410
    offer = await harness.make_offer(alder)
    await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    path = f"/v1/providers/{alder}/messages"
    (message,) = (await harness.request_as_provider(alder, "GET", path)).body["items"]
    assert (message["kind"], message["failure"]) == ("offer.made", "gone")
    assert message["content"]["data"]["offer_id"] == str(offer.offer_id)
    since = {"since": harness.clock.now().isoformat()}
    refused = await harness.request_as_provider(alder, "POST", f"{path}/replay", since)
    assert (refused.status, refused.body["title"]) == (409, "Endpoint disabled")
    harness.receiver.statuses.pop(str(alder))
    await harness.register_endpoint(alder)
    replayed = await harness.request_as_provider(alder, "POST", f"{path}/replay", since)
    assert (replayed.status, replayed.body) == (202, {"replayed": 1, "has_more": False})
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 2)
    first, second = harness.receiver.get_received(alder)
    assert second.verify(secret) == first.verify(secret) == message["content"]
    assert second.headers["webhook-id"] == message["webhook_id"]
    marker = await harness.make_offer(alder, package_id=offer.package_id)
    events = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    assert [each.offer_id for each in events if isinstance(each, OfferDelivered)] == [marker.offer_id]
    assert (await harness.request_as_provider(alder, "GET", path)).body == {"items": [], "next": None}


async def test_messages_are_read_by_page_and_acknowledged(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    harness.receiver.statuses[str(alder)] = 410
    offers = [await harness.make_offer(alder) for _ in range(3)]
    for offer in offers:
        await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    path = f"/v1/providers/{alder}/messages"
    page = (await harness.request_as_provider(alder, "GET", f"{path}?limit=2")).body
    rest = (await harness.request_as_provider(alder, "GET", f"{path}?limit=2&cursor={page['next']}")).body
    ids = [each["webhook_id"] for each in page["items"] + rest["items"]]
    assert (len(set(ids)), rest["next"]) == (3, None)
    body = {"webhook_ids": ids[:2]}
    assert (await harness.request_as_provider(alder, "POST", f"{path}/acknowledgement", body)).status == 204
    left = (await harness.request_as_provider(alder, "GET", path)).body["items"]
    assert [each["webhook_id"] for each in left] == ids[2:]


async def test_a_leaked_secret_stops_signing_at_once(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    first = await harness.register_endpoint(alder)
    path = f"/v1/providers/{alder}/endpoint"
    rotated = (await harness.request_as_provider(alder, "POST", f"{path}/rotation")).body["secret"]
    other = await harness.register_provider("Birch Care Ltd")
    assert (await harness.request_as_provider(other, "DELETE", f"{path}/previous-secrets")).status == 404
    assert (await harness.request_as_provider(alder, "DELETE", f"{path}/previous-secrets")).status == 204
    await harness.make_offer(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 1)
    (webhook,) = harness.receiver.get_received(alder)
    webhook.verify(rotated)
    with pytest.raises(WebhookVerificationError):
        webhook.verify(first)


async def test_messages_are_for_their_provider_only(harness: RegistryHarness) -> None:
    alder, birch = [await harness.register_provider(name) for name in ("Alder Care Ltd", "Birch Care Ltd")]
    path = f"/v1/providers/{alder}/messages"
    assert (await harness.request_as_provider(birch, "GET", path)).status == 404
    assert (await harness.request_as_provider(birch, "POST", f"{path}/{uuid4()}/replay")).status == 404
    assert (await harness.request("GET", path, council="another")).status == 404
    assert (await harness.request("GET", path, scope=OPERATE)).status == 403
    assert (await harness.request_as_provider(alder, "POST", f"{path}/{uuid4()}/replay")).status == 404


async def test_what_is_wrong_with_a_request_is_said_in_words(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    path = f"/v1/providers/{alder}/messages"
    wrong = (0, "0", 1e99, "2026-03-02T09:00:00", "0001-01-01T00:00:00+14:00", "yesterday", None)
    for body in ({}, *({"since": each} for each in wrong)):
        refused = await harness.request_as_provider(alder, "POST", f"{path}/replay", body)
        assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/since"), body
    unknown = {"webhook_ids": [str(uuid4())]}
    refused = await harness.request_as_provider(alder, "POST", f"{path}/acknowledgement", unknown)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/webhook_ids/0")
    later = {"since": (harness.clock.now() + timedelta(days=1)).isoformat()}
    nothing = await harness.request_as_provider(alder, "POST", f"{path}/replay", later)
    assert nothing.body == {"replayed": 0, "has_more": False}
