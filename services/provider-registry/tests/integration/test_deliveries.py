"""Webhooks of offers to a real receiver: signatures, delivery, retries, timeouts and cancellation."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.events.listings import PackageListed
from contracts.events.notices import NoticeKind, ProviderNotified
from contracts.events.offers import (
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.providers import ChannelsChanged, EndpointDisabled
from contracts.events.reasons import OfferEnd
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.example_words import Tiers, WithdrawalReasons
from contracts.examples import COLCHESTER, COUNCIL, an_example_of
from contracts.ids import PackageId
from contracts.values import Channel
from testkit.databases import fetch_number, fetch_rows
from testkit.provider_registry.harness import ADMIN, ANSWER, RegistryHarness
from testkit.waiting import wait_until

SECOND = timedelta(seconds=1)


def build_withdrawal(offer: OfferMade) -> OfferWithdrawn:
    return OfferWithdrawn(
        package_id=offer.package_id,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        reason=OfferEnd.PACKAGE_WITHDRAWN,
    )


def build_placement(offer: OfferMade) -> PackagePlaced:
    return an_example_of(
        PackagePlaced, package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id
    )


async def test_an_offer_arrives_signed_and_its_delivery_is_published(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    secret = await harness.register_endpoint(alder)
    offer = await harness.make_offer(alder)
    events = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    assert events == [
        OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=alder,
            channel=Channel.WEBHOOK,
            delivered_at=harness.clock.now(),
        )
    ]
    (webhook,) = harness.receiver.get_received(alder)
    content = webhook.verify(secret)
    assert content["type"] == "offer.made"
    assert content["data"]["offer_id"] == str(offer.offer_id)
    log = await harness.request_as_provider(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["kind"], delivery["outcome"], delivery["package_id"]) == (
        "offer.made",
        "delivered",
        str(offer.package_id),
    )
    assert [each["status"] for each in delivery["attempts"]] == [204]
    assert delivery["webhook_id"] == {name.lower(): value for name, value in webhook.headers.items()}["webhook-id"]


async def test_a_failing_endpoint_is_retried_until_the_grace_period_ends(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    harness.receiver.statuses[str(alder)] = 500
    began = harness.clock.now()
    offer = await harness.make_offer(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) >= 1)
    harness.clock.set_to(began + timedelta(minutes=1))
    await wait_until(lambda: len(harness.receiver.get_received(alder)) >= 2)
    assert await harness.read_events(str(offer.package_id)) == []
    harness.clock.set_to(began + timedelta(minutes=2) + SECOND)
    (events,) = await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.first_attempt_at, events.reason) == (began, "status 500")
    assert len({webhook.headers["webhook-id"] for webhook in harness.receiver.get_received(alder)}) == 1


async def test_an_offer_without_an_endpoint_is_undeliverable_at_once(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    offer = await harness.make_offer(alder)
    (events,) = await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.first_attempt_at, events.reason) == (None, "no endpoint")


async def test_an_offer_withdrawn_before_it_was_sent_is_never_sent(harness: RegistryHarness) -> None:
    """An earlier webhook of the package that does not get through holds the later ones back."""
    alder = await harness.register_provider(with_endpoint=True)
    harness.receiver.statuses[str(alder)] = 503
    first = await harness.make_offer(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 1)
    second = await harness.make_offer(alder, package_id=first.package_id)
    await harness.publish(build_withdrawal(second))

    async def is_cancelled() -> bool:
        found = await fetch_rows(
            harness.database, "SELECT outcome FROM deliveries WHERE about = :offer", offer=str(second.offer_id)
        )
        return [row.outcome for row in found] == ["cancelled"]

    await wait_until(is_cancelled)
    harness.receiver.statuses[str(alder)] = 204
    harness.clock.advance(timedelta(minutes=1))
    await harness.wait_for_event(OfferDelivered, str(first.package_id))
    webhook = {each.content["data"]["offer_id"] for each in harness.receiver.get_received(alder)}
    assert webhook == {str(first.offer_id)}


async def test_webhooks_that_follow_an_offer_arrive_in_order(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    offer = await harness.make_offer(alder)
    await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    again = await harness.make_offer(alder, package_id=offer.package_id)
    ended = OfferExpired(package_id=offer.package_id, offer_id=offer.offer_id, provider_id=alder)
    placement = build_placement(again)
    voided = PlacementVoided(
        package_id=offer.package_id,
        placement_id=placement.placement_id,
        provider_id=alder,
        weekly_hours=placement.weekly_hours,
        reason=WithdrawalReasons.NO_LONGER_NEEDED,
    )
    await harness.publish(build_withdrawal(offer), ended, placement, voided)
    expected = ["offer.made", "offer.made", "offer.withdrawn", "offer.expired", "package.placed", "placement.voided"]
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == len(expected))
    assert harness.receiver.get_received_types(alder) == expected
    data = harness.receiver.get_received(alder)[4].content["data"]
    assert data["links"]["person"] == f"https://referral.example/v1/packages/{offer.package_id}/person"


async def test_an_open_package_is_advertised_without_identifying_the_package(harness: RegistryHarness) -> None:
    await harness.publish_definition()
    alder, birch, cedar = [await harness.register_provider(f"{name} Care Ltd") for name in ("Alder", "Birch", "Cedar")]
    await harness.set_places(alder, Tiers.TWO)
    for each in (birch, cedar):
        await harness.set_spot_areas(each, COLCHESTER)
    secret = await harness.register_endpoint(alder)
    for each in (birch, cedar):
        await harness.register_endpoint(each)
    await harness.request("POST", f"/v1/providers/{cedar}/embargo", {"reason": "safeguarding"})
    package_id = PackageId(uuid4())
    listed = an_example_of(PackageListed, package_id=package_id, framework=harness.framework, opens_at=None)
    await harness.publish(listed)
    await wait_until(lambda: all(harness.receiver.get_received(each) for each in (alder, birch)))
    (webhook,) = harness.receiver.get_received(alder)
    content = webhook.verify(secret)
    assert content["type"] == "package.available"
    assert content["data"]["links"] == {
        "package": f"https://sourcing.example/v1/available-packages/{listed.advert.reference}",
        "propose": f"https://sourcing.example/v1/available-packages/{listed.advert.reference}/proposals",
    }
    log = await harness.request_as_provider(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["about"], delivery["package_id"]) == (str(listed.advert.reference), None)
    for text in (str(webhook.headers), webhook.body.decode(), str(log.body)):
        assert str(listed.package_id) not in text
        assert str(listed.search_id) not in text
    assert harness.receiver.get_received(cedar) == []
    events = await harness.wait_for_event(ProviderNotified, str(package_id), times=2)
    told = {(each.provider_id, each.notice, each.channel) for each in events if isinstance(each, ProviderNotified)}
    assert told == {(each, NoticeKind.PACKAGE_AVAILABLE, Channel.WEBHOOK) for each in (alder, birch)}


async def test_a_provider_is_notified_of_an_extended_offer(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    offer = await harness.make_offer(alder)
    await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    extended = an_example_of(
        OfferExtended, package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id
    )
    await harness.publish(extended)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 2)
    events = harness.receiver.get_received(alder)[1].content
    assert (events["type"], events["data"]["answer_by"]) == ("offer.extended", extended.answer_by.isoformat())


async def test_a_provider_without_an_endpoint_is_sent_no_webhook(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    offer = await harness.make_offer(alder, channel=Channel.PHONE)
    marker = await harness.make_offer(alder, package_id=offer.package_id)
    await harness.publish(build_placement(offer), build_withdrawal(offer))
    await harness.wait_for_event(OfferUndeliverable, str(marker.package_id))
    found = await fetch_rows(harness.database, "SELECT about FROM deliveries WHERE owner = :owner", owner=str(alder))
    assert [row.about for row in found] == [str(marker.offer_id)]


async def test_an_endpoint_that_answers_410_is_disabled_and_offers_go_by_telephone(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    harness.receiver.statuses[str(alder)] = 410
    offer = await harness.make_offer(alder)
    (undeliverable,) = await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(undeliverable, OfferUndeliverable)
    assert undeliverable.reason == "gone"
    events = await harness.wait_for_event(ChannelsChanged, str(alder), times=3)
    channels = [each.channels for each in events if isinstance(each, ChannelsChanged)]
    assert channels == [(Channel.PHONE,), (Channel.WEBHOOK, Channel.PHONE), (Channel.PHONE,)]
    assert EndpointDisabled(provider_id=alder, reason="gone") in events
    seen = await harness.request("GET", f"/v1/providers/{alder}")
    assert (seen.body["endpoint"]["enabled"], seen.body["channels"]) == (False, ["phone"])


async def test_an_officer_disables_an_endpoint_once_and_the_provider_enables_it_again(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    for _ in range(2):
        assert (await harness.request("DELETE", f"/v1/providers/{alder}/endpoint")).status == 204
    url = {"url": harness.receiver.build_url(alder)}
    again = await harness.request_as_provider(alder, "PUT", f"/v1/providers/{alder}/endpoint", url)
    assert (again.status, again.body["secret"]) == (200, None)
    events = await harness.wait_for_event(ChannelsChanged, str(alder), times=4)
    assert len([each for each in events if isinstance(each, EndpointDisabled)]) == 1


async def test_a_secret_is_shown_once_and_stored_nowhere(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    path, body = f"/v1/providers/{alder}/endpoint", {"url": harness.receiver.build_url(alder)}
    key = {"Idempotency-Key": str(uuid4())}
    first = await harness.request_as_provider(alder, "PUT", path, body, **key)
    again = await harness.request_as_provider(alder, "PUT", path, body, **key)
    rotated = await harness.request_as_provider(alder, "POST", f"{path}/rotation")
    secrets = [first.body["secret"], rotated.body["secret"]]
    assert again.body == {"secret": None}
    assert all(secret.startswith("whsec_") for secret in secrets)
    for secret in secrets:
        for table in ("idempotency_keys", "endpoints", "journal", "deliveries"):
            query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
            assert await fetch_number(harness.database, query, secret=secret.removeprefix("whsec_")) == 0


async def test_after_a_rotation_webhooks_carry_both_signatures(harness: RegistryHarness) -> None:
    alder = await harness.register_provider()
    first = await harness.register_endpoint(alder)
    path = f"/v1/providers/{alder}/endpoint/rotation"
    rotated = (await harness.request_as_provider(alder, "POST", path)).body["secret"]
    await harness.make_offer(alder)
    await wait_until(lambda: len(harness.receiver.get_received(alder)) == 1)
    (webhook,) = harness.receiver.get_received(alder)
    assert webhook.verify(first) == webhook.verify(rotated)


@pytest.mark.parametrize(
    "url", ["http://alder.example/", "https://127.0.0.1/", "https://user:word@alder.example/", "ftp://alder.example/"]
)
async def test_webhooks_go_to_the_public_internet_only(harness: RegistryHarness, url: str) -> None:
    alder = await harness.register_provider()
    refused = await harness.request_as_provider(alder, "PUT", f"/v1/providers/{alder}/endpoint", {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


async def test_the_delivery_log_is_read_page_by_page(harness: RegistryHarness) -> None:
    alder = await harness.register_provider(with_endpoint=True)
    offers = [await harness.make_offer(alder) for _ in range(3)]
    for offer in offers:
        await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    seen: list[UUID] = []
    url = f"/v1/providers/{alder}/deliveries?limit=2"
    page = (await harness.registry.request("GET", url, ADMIN, council=COUNCIL)).body
    seen += [each["about"] for each in page["items"]]
    rest = (
        await harness.registry.request(
            "GET", f"{url}&cursor={page['next']}", ANSWER, provider_id=str(alder), council=COUNCIL
        )
    ).body
    seen += [each["about"] for each in rest["items"]]
    assert sorted(map(str, seen)) == sorted(str(offer.offer_id) for offer in offers)
    assert rest["next"] is None
