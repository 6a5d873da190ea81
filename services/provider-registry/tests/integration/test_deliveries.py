"""Offers on their way to a real receiver: signed, delivered, tried again, given up, and taken back."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferDelivered,
    OfferEnd,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    PlacementVoided,
)
from contracts.events.providers import ChannelsChanged, EndpointDisabled
from contracts.ids import PackageId
from contracts.values import Channel, WithdrawalReason
from testkit.contract_examples import COLCHESTER, an_example_of
from testkit.databases import number, rows
from testkit.provider_registry.harness import ADMIN, ANSWER, House
from testkit.waiting import until

SECOND = timedelta(seconds=1)


def withdrawn(offer: OfferMade) -> OfferWithdrawn:
    return OfferWithdrawn(
        package_id=offer.package_id,
        offer_id=offer.offer_id,
        provider_id=offer.provider_id,
        reason=OfferEnd.PACKAGE_WITHDRAWN,
    )


def placed(offer: OfferMade) -> PackagePlaced:
    return an_example_of(
        PackagePlaced, package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id
    )


async def test_an_offer_arrives_signed_and_its_delivery_is_told(house: House) -> None:
    alder = await house.register()
    secret = await house.give_endpoint(alder)
    offer = await house.make_offer(alder)
    said = await house.until_said(OfferDelivered, str(offer.package_id))
    assert said == [
        OfferDelivered(
            package_id=offer.package_id,
            offer_id=offer.offer_id,
            provider_id=alder,
            channel=Channel.WEBHOOK,
            delivered_at=house.clock.now(),
        )
    ]
    (heard,) = house.receiver.by(alder)
    webhook = heard.verified(secret)
    assert webhook["type"] == "offer.made"
    assert webhook["data"]["offer_id"] == str(offer.offer_id)
    log = await house.ask_as(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["kind"], delivery["outcome"], delivery["package_id"]) == (
        "offer.made",
        "delivered",
        str(offer.package_id),
    )
    assert [each["status"] for each in delivery["attempts"]] == [204]
    assert delivery["webhook_id"] == {name.lower(): value for name, value in heard.headers.items()}["webhook-id"]


async def test_an_endpoint_that_fails_is_tried_again_until_the_grace_is_over(house: House) -> None:
    alder = await house.register(system=True)
    house.receiver.answers[str(alder)] = 500
    began = house.clock.now()
    offer = await house.make_offer(alder)
    await until(lambda: len(house.receiver.by(alder)) >= 1)
    house.clock.set_to(began + timedelta(minutes=1))
    await until(lambda: len(house.receiver.by(alder)) >= 2)
    assert await house.said_of(str(offer.package_id)) == []
    house.clock.set_to(began + timedelta(minutes=2) + SECOND)
    (said,) = await house.until_said(OfferUndeliverable, str(offer.package_id))
    assert isinstance(said, OfferUndeliverable)
    assert (said.first_attempt_at, said.reason) == (began, "status 500")
    assert len({heard.headers["webhook-id"] for heard in house.receiver.by(alder)}) == 1


async def test_an_offer_to_nowhere_is_told_at_once(house: House) -> None:
    alder = await house.register()
    offer = await house.make_offer(alder)
    (said,) = await house.until_said(OfferUndeliverable, str(offer.package_id))
    assert isinstance(said, OfferUndeliverable)
    assert (said.first_attempt_at, said.reason) == (None, "no endpoint")


async def test_an_offer_that_is_withdrawn_before_it_was_sent_is_never_heard_of(house: House) -> None:
    """An earlier webhook of the package that does not get through holds the later ones back."""
    alder = await house.register(system=True)
    house.receiver.answers[str(alder)] = 503
    first = await house.make_offer(alder)
    await until(lambda: len(house.receiver.by(alder)) == 1)
    second = await house.make_offer(alder, package_id=first.package_id)
    await house.say(withdrawn(second))

    async def taken_back() -> bool:
        found = await rows(
            house.database, "SELECT outcome FROM deliveries WHERE about = :offer", offer=str(second.offer_id)
        )
        return [row.outcome for row in found] == ["cancelled"]

    await until(taken_back)
    house.receiver.answers[str(alder)] = 204
    house.clock.advance(timedelta(minutes=1))
    await house.until_said(OfferDelivered, str(first.package_id))
    heard = {each.said["data"]["offer_id"] for each in house.receiver.by(alder)}
    assert heard == {str(first.offer_id)}


async def test_what_follows_an_offer_is_told_in_its_order(house: House) -> None:
    alder = await house.register(system=True)
    offer = await house.make_offer(alder)
    await house.until_said(OfferDelivered, str(offer.package_id))
    again = await house.make_offer(alder, package_id=offer.package_id)
    ended = OfferExpired(package_id=offer.package_id, offer_id=offer.offer_id, provider_id=alder)
    placement = placed(again)
    voided = PlacementVoided(
        package_id=offer.package_id,
        placement_id=placement.placement_id,
        provider_id=alder,
        weekly_hours=placement.weekly_hours,
        reason=WithdrawalReason.NO_LONGER_NEEDED,
    )
    await house.say(withdrawn(offer), ended, placement, voided)
    expected = ["offer.made", "offer.made", "offer.withdrawn", "offer.expired", "package.placed", "placement.voided"]
    await until(lambda: len(house.receiver.by(alder)) == len(expected))
    assert house.receiver.kinds(alder) == expected
    data = house.receiver.by(alder)[4].said["data"]
    assert data["links"]["person"] == f"https://referral.example/v1/packages/{offer.package_id}/person"


async def test_an_open_package_is_told_as_an_advert_and_by_no_word_of_whose_it_is(house: House) -> None:
    await house.publish_definition()
    alder, birch, cedar = [await house.register(f"{name} Care Ltd") for name in ("Alder", "Birch", "Cedar")]
    await house.join(alder, 2)
    for each in (birch, cedar):
        await house.serve(each, COLCHESTER)
    secret = await house.give_endpoint(alder)
    for each in (birch, cedar):
        await house.give_endpoint(each)
    await house.ask("POST", f"/v1/providers/{cedar}/embargo", {"reason": "safeguarding"})
    listed = an_example_of(PackageListed, package_id=PackageId(uuid4()), framework=house.framework)
    await house.say(listed)
    await until(lambda: all(house.receiver.by(each) for each in (alder, birch)))
    (heard,) = house.receiver.by(alder)
    webhook = heard.verified(secret)
    assert webhook["type"] == "package.available"
    assert webhook["data"]["links"] == {
        "package": f"https://sourcing.example/v1/available-packages/{listed.advert.reference}",
        "propose": f"https://sourcing.example/v1/available-packages/{listed.advert.reference}/proposals",
    }
    log = await house.ask_as(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["about"], delivery["package_id"]) == (str(listed.advert.reference), None)
    for told in (str(heard.headers), heard.body.decode(), str(log.body)):
        assert str(listed.package_id) not in told
        assert str(listed.search_id) not in told
    assert house.receiver.by(cedar) == []
    assert await house.said_of(str(listed.package_id)) == []


async def test_a_provider_hears_that_its_offer_gains_time(house: House) -> None:
    alder = await house.register(system=True)
    offer = await house.make_offer(alder)
    await house.until_said(OfferDelivered, str(offer.package_id))
    extended = an_example_of(
        OfferExtended, package_id=offer.package_id, offer_id=offer.offer_id, provider_id=offer.provider_id
    )
    await house.say(extended)
    await until(lambda: len(house.receiver.by(alder)) == 2)
    said = house.receiver.by(alder)[1].said
    assert (said["type"], said["data"]["answer_by"]) == ("offer.extended", extended.answer_by.isoformat())


async def test_a_provider_without_a_system_is_sent_nothing(house: House) -> None:
    alder = await house.register()
    offer = await house.make_offer(alder, channel=Channel.PHONE)
    marker = await house.make_offer(alder, package_id=offer.package_id)
    await house.say(placed(offer), withdrawn(offer))
    await house.until_said(OfferUndeliverable, str(marker.package_id))
    found = await rows(house.database, "SELECT about FROM deliveries WHERE owner = :owner", owner=str(alder))
    assert [row.about for row in found] == [str(marker.offer_id)]


async def test_an_endpoint_that_is_gone_is_disabled_and_offers_go_by_telephone(house: House) -> None:
    alder = await house.register(system=True)
    house.receiver.answers[str(alder)] = 410
    offer = await house.make_offer(alder)
    (said,) = await house.until_said(OfferUndeliverable, str(offer.package_id))
    assert isinstance(said, OfferUndeliverable)
    assert said.reason == "gone"
    told = await house.until_said(ChannelsChanged, str(alder), times=3)
    channels = [each.channels for each in told if isinstance(each, ChannelsChanged)]
    assert channels == [(Channel.PHONE,), (Channel.WEBHOOK, Channel.PHONE), (Channel.PHONE,)]
    assert EndpointDisabled(provider_id=alder, reason="gone") in told
    seen = await house.ask("GET", f"/v1/providers/{alder}")
    assert (seen.body["endpoint"]["enabled"], seen.body["channels"]) == (False, ["phone"])


async def test_an_officer_disables_an_endpoint_once_and_the_provider_enables_it_again(house: House) -> None:
    alder = await house.register(system=True)
    for _ in range(2):
        assert (await house.ask("DELETE", f"/v1/providers/{alder}/endpoint")).status == 204
    url = {"url": house.receiver.url(alder)}
    again = await house.ask_as(alder, "PUT", f"/v1/providers/{alder}/endpoint", url)
    assert (again.status, again.body["secret"]) == (200, None)
    told = await house.until_said(ChannelsChanged, str(alder), times=4)
    assert len([each for each in told if isinstance(each, EndpointDisabled)]) == 1


async def test_a_secret_is_shown_once_and_stored_nowhere(house: House) -> None:
    alder = await house.register()
    path, body = f"/v1/providers/{alder}/endpoint", {"url": house.receiver.url(alder)}
    key = {"Idempotency-Key": str(uuid4())}
    first = await house.ask_as(alder, "PUT", path, body, **key)
    again = await house.ask_as(alder, "PUT", path, body, **key)
    rotated = await house.ask_as(alder, "POST", f"{path}/rotation")
    secrets = [first.body["secret"], rotated.body["secret"]]
    assert again.body == {"secret": None}
    assert all(secret.startswith("whsec_") for secret in secrets)
    for secret in secrets:
        for table in ("commands", "endpoints", "journal", "deliveries"):
            query = f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :secret) > 0"
            assert await number(house.database, query, secret=secret.removeprefix("whsec_")) == 0


async def test_after_a_rotation_webhooks_carry_both_signatures(house: House) -> None:
    alder = await house.register()
    first = await house.give_endpoint(alder)
    path = f"/v1/providers/{alder}/endpoint/rotation"
    rotated = (await house.ask_as(alder, "POST", path)).body["secret"]
    await house.make_offer(alder)
    await until(lambda: len(house.receiver.by(alder)) == 1)
    (heard,) = house.receiver.by(alder)
    assert heard.verified(first) == heard.verified(rotated)


@pytest.mark.parametrize(
    "url", ["http://alder.example/", "https://127.0.0.1/", "https://user:word@alder.example/", "ftp://alder.example/"]
)
async def test_webhooks_go_to_the_public_internet_only(house: House, url: str) -> None:
    alder = await house.register()
    refused = await house.ask_as(alder, "PUT", f"/v1/providers/{alder}/endpoint", {"url": url})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "#/url")
    assert url not in str(refused.body)


async def test_the_delivery_log_is_read_page_by_page(house: House) -> None:
    alder = await house.register(system=True)
    offers = [await house.make_offer(alder) for _ in range(3)]
    for offer in offers:
        await house.until_said(OfferDelivered, str(offer.package_id))
    seen: list[UUID] = []
    url = f"/v1/providers/{alder}/deliveries?limit=2"
    page = (await house.registry.ask("GET", url, ADMIN)).body
    seen += [each["about"] for each in page["items"]]
    rest = (await house.registry.ask("GET", f"{url}&cursor={page['next']}", ANSWER, provider_id=str(alder))).body
    seen += [each["about"] for each in rest["items"]]
    assert sorted(map(str, seen)) == sorted(str(offer.offer_id) for offer in offers)
    assert rest["next"] is None
