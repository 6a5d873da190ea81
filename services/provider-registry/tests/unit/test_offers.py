"""Webhooks to providers' systems, and the events that publish their results."""

import json
from datetime import timedelta
from typing import TypeVar

import pytest

from contracts.catalogue import PACKAGES
from contracts.events.base import PackageEvent
from contracts.events.offers import (
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
)
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.examples import an_example_of, an_id
from contracts.ids import FrameworkKey, OfferId, PackageId, ProposalId, ProviderId
from contracts.values import AnswerBy, Channel
from provider_registry.handlers.offers import (
    publish_webhook_delivered,
    publish_webhook_undeliverable,
    redirect_offer,
    send_offer,
)
from provider_registry.handlers.package_notices import (
    notify_of_expiry,
    notify_of_extension,
    notify_of_placement,
    notify_of_voided_placement,
    notify_of_withdrawal,
)
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.results import Delivered, Undeliverable
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

EventT = TypeVar("EventT", bound=PackageEvent)

OTHER_FRAMEWORK = FrameworkKey("amberside-live-in-2027")
OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))


def an_event(kind: type[EventT], **changed: object) -> EventT:
    """About the same package, offer and provider every time."""
    return an_example_of(kind, **changed)


def list_kinds(work: InMemoryRegistryWork) -> list[str]:
    return [webhook.kind for webhook in work.webhooks]


async def add_endpoint(work: InMemoryRegistryWork) -> InMemoryRegistryWork:
    """Alder has an endpoint."""
    await work.endpoints.put(str(ALDER), "https://alder.example/offers")
    return work


async def test_an_offer_by_webhook_is_queued_with_its_own_time_to_arrive() -> None:
    work = build_unit_of_work()
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK, deliver_within_minutes=3), work)
    (webhook,) = work.webhooks
    assert (webhook.owner, webhook.kind, webhook.about) == (str(ALDER), "offer.made", str(OFFER))
    assert webhook.give_up_after == timedelta(minutes=3)


async def test_an_offer_by_telephone_is_not_sent() -> None:
    work = build_unit_of_work()
    await send_offer(an_event(OfferMade, channel=Channel.PHONE), work)
    assert work.webhooks == []


@pytest.mark.parametrize(("brokerage", "time_kind"), [(True, "brokerage time"), (False, "plain time")])
async def test_an_offer_states_how_long_there_is_to_answer_and_not_until_when(brokerage: bool, time_kind: str) -> None:
    work = build_unit_of_work()
    answer_by = AnswerBy(minutes=30, brokerage_time=brokerage, instant=None)
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK, answer_by=answer_by), work)
    data = work.webhooks[0].data
    assert (data["answer_within"], data["answer_time_is"]) == ("PT30M", time_kind)
    assert "instant" not in json.dumps(data)


async def test_an_offer_states_the_need_the_links_and_only_the_outward_code_of_the_place() -> None:
    work = build_unit_of_work()
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    data = work.webhooks[0].data
    assert data["links"] == {
        "offer": f"https://sourcing.example/v1/offers/{OFFER}",
        "accept": f"https://sourcing.example/v1/offers/{OFFER}/accept",
        "decline": f"https://sourcing.example/v1/offers/{OFFER}/decline",
    }
    assert set(data) == {
        "offer_id",
        "package_id",
        "care",
        "weekly_hours",
        "terms",
        "answer_within",
        "answer_time_is",
        "links",
    }


async def test_an_unsent_offer_is_cancelled_without_notifying_the_provider() -> None:
    work = await add_endpoint(build_unit_of_work())
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await notify_of_withdrawal(an_event(OfferWithdrawn), work)
    assert work.webhooks == []


async def test_the_provider_is_notified_of_the_withdrawal_of_a_sent_offer() -> None:
    work = await add_endpoint(build_unit_of_work(RegistryTables(sent_offers={(PACKAGE, OFFER)})))
    await notify_of_withdrawal(an_event(OfferWithdrawn), work)
    assert list_kinds(work) == ["offer.withdrawn"]
    assert work.webhooks[0].give_up_after == timedelta(minutes=15)


async def test_the_end_of_an_offer_by_telephone_sends_no_webhook() -> None:
    work = await add_endpoint(build_unit_of_work())
    await notify_of_withdrawal(an_event(OfferWithdrawn), work)
    await notify_of_expiry(an_event(OfferExpired), work)
    assert work.webhooks == []


async def test_the_provider_is_notified_of_an_expiry() -> None:
    work = await add_endpoint(build_unit_of_work(RegistryTables(sent_offers={(PACKAGE, OFFER)})))
    await notify_of_expiry(an_event(OfferExpired), work)
    assert list_kinds(work) == ["offer.expired"]


async def test_an_offer_redirected_to_telephone_is_not_sent_by_webhook() -> None:
    work = build_unit_of_work()
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await redirect_offer(an_event(OfferRedirected, from_channel=Channel.WEBHOOK, to_channel=Channel.PHONE), work)
    assert work.webhooks == []


async def test_the_provider_is_notified_of_a_placement_with_the_url_of_the_person() -> None:
    work = await add_endpoint(build_unit_of_work())
    await notify_of_placement(an_event(PackagePlaced), work)
    (webhook,) = work.webhooks
    assert webhook.kind == "package.placed"
    assert webhook.data["links"] == {"person": f"https://referral.example/v1/packages/{PACKAGE}/person"}


async def test_an_awarded_proposal_is_named_where_there_was_no_offer() -> None:
    work, proposal = await add_endpoint(build_unit_of_work()), ProposalId(an_id("proposal"))
    await notify_of_placement(an_event(PackagePlaced, offer_id=None, proposal_id=proposal), work)
    await notify_of_placement(an_event(PackagePlaced, proposal_id=None), work)
    awarded, accepted = (webhook.data for webhook in work.webhooks)
    assert (awarded["proposal_id"], "offer_id" in awarded) == (str(proposal), False)
    assert (accepted["offer_id"], "proposal_id" in accepted) == (str(OFFER), False)
    assert awarded["package_id"] == accepted["package_id"] == str(PACKAGE)


async def test_a_placement_made_by_hand_names_neither_an_offer_nor_a_proposal() -> None:
    work = await add_endpoint(build_unit_of_work())
    await notify_of_placement(an_event(PackagePlaced, offer_id=None, proposal_id=None), work)
    (webhook,) = work.webhooks
    assert {"offer_id", "proposal_id"} & set(webhook.data) == set()


async def test_the_provider_is_notified_of_the_new_end_of_a_sent_offer() -> None:
    work = await add_endpoint(build_unit_of_work(RegistryTables(sent_offers={(PACKAGE, OFFER)})))
    extended = an_event(OfferExtended)
    await notify_of_extension(extended, work)
    (webhook,) = work.webhooks
    assert (webhook.kind, webhook.give_up_after) == ("offer.extended", timedelta(minutes=15))
    assert webhook.data == {
        "offer_id": str(OFFER),
        "package_id": str(PACKAGE),
        "answer_by": extended.answer_by.isoformat(),
        "links": {"offer": f"https://sourcing.example/v1/offers/{OFFER}"},
    }


async def test_an_unsent_offer_is_extended_without_notifying_the_provider() -> None:
    work = await add_endpoint(build_unit_of_work())
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await notify_of_extension(an_event(OfferExtended), work)
    assert list_kinds(work) == ["offer.made"]


async def test_the_provider_is_notified_of_a_voided_placement() -> None:
    work = await add_endpoint(build_unit_of_work())
    await notify_of_voided_placement(an_event(PlacementVoided), work)
    assert list_kinds(work) == ["placement.voided"]


async def test_a_delivery_is_published_with_the_instant_of_the_2xx() -> None:
    work = build_unit_of_work()
    stream = StreamKey(PACKAGES, str(PACKAGE))
    at = MONDAY_NINE - timedelta(seconds=1)
    result = Delivered(an_id("webhook"), str(ALDER), "offer.made", str(OFFER), stream, at, at, attempts=1)
    await publish_webhook_delivered(result, work)
    assert work.published == [
        OfferDelivered(package_id=PACKAGE, offer_id=OFFER, provider_id=ALDER, channel=Channel.WEBHOOK, delivered_at=at)
    ]


async def test_an_undeliverable_offer_is_published_with_its_reason() -> None:
    work = build_unit_of_work()
    stream = StreamKey(PACKAGES, str(PACKAGE))
    result = Undeliverable(
        an_id("webhook"), str(ALDER), "offer.made", str(OFFER), stream, None, attempts=0, reason="no endpoint"
    )
    await publish_webhook_undeliverable(result, work)
    assert work.published == [
        OfferUndeliverable(
            package_id=PACKAGE,
            offer_id=OFFER,
            provider_id=ALDER,
            channel=Channel.WEBHOOK,
            first_attempt_at=None,
            reason="no endpoint",
        )
    ]
