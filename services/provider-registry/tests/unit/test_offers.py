"""What providers' systems are told, and what is told of how that went."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

import pytest

from contracts.catalogue import PACKAGES
from contracts.events.base import PackageEvent
from contracts.events.listings import PackageListed
from contracts.events.packages import (
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    PlacementVoided,
)
from contracts.events.providers import EmbargoReason, EndpointDisabled
from contracts.ids import CouncilKey, FrameworkKey, OfferId, PackageId, ProposalId, ProviderId
from contracts.values import AnswerBy, Channel, Tier
from provider_registry.domain.provider import Provider
from provider_registry.handlers.offers import (
    note_delivered,
    note_gone,
    note_undeliverable,
    redirect_offer,
    send_offer,
    tell_of_expiry,
    tell_of_extension,
    tell_of_open_package,
    tell_of_placement,
    tell_of_voided_placement,
    tell_of_withdrawal,
)
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import body_of
from service_runtime.webhooks.results import Delivered, Gone, Undeliverable
from testkit.clocks import MONDAY_NINE
from testkit.contract_examples import COLCHESTER, an_example_of, an_id
from testkit.provider_registry.builders import (
    TENDRING,
    InMemoryRegistryWork,
    Market,
    a_place,
    a_provider,
    in_memory,
    provider_id,
)

EventT = TypeVar("EventT", bound=PackageEvent)

OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))


def an_event(kind: type[EventT], **changed: object) -> EventT:
    """About the same package, offer and provider every time."""
    return an_example_of(kind, **changed)


def kinds(work: InMemoryRegistryWork) -> list[str]:
    return [webhook.kind for webhook in work.webhooks]


async def with_system(work: InMemoryRegistryWork) -> InMemoryRegistryWork:
    """Alder has an endpoint."""
    await work.endpoints.put(str(ALDER), "https://alder.example/offers")
    return work


async def test_an_offer_by_webhook_is_sent_and_given_up_after_two_minutes() -> None:
    work = in_memory()
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    (webhook,) = work.webhooks
    assert (webhook.owner, webhook.kind, webhook.about) == (str(ALDER), "offer.made", str(OFFER))
    assert webhook.give_up_after == timedelta(minutes=2)


async def test_an_offer_by_telephone_is_not_sent() -> None:
    work = in_memory()
    await send_offer(an_event(OfferMade, channel=Channel.PHONE), work)
    assert work.webhooks == []


@pytest.mark.parametrize(("brokerage", "said"), [(True, "brokerage time"), (False, "plain time")])
async def test_an_offer_states_how_long_there_is_to_answer_and_not_until_when(brokerage: bool, said: str) -> None:
    work = in_memory()
    answer_by = AnswerBy(minutes=30, brokerage_time=brokerage, instant=None)
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK, answer_by=answer_by), work)
    data = work.webhooks[0].data
    assert (data["answer_within"], data["answer_time_is"]) == ("PT30M", said)
    assert "instant" not in json.dumps(data)


async def test_an_offer_says_what_is_needed_where_to_answer_and_no_more_of_the_place_than_its_outward_code() -> None:
    work = in_memory()
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


async def test_an_offer_that_was_not_sent_yet_is_taken_back_in_silence() -> None:
    work = await with_system(in_memory())
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await tell_of_withdrawal(an_event(OfferWithdrawn), work)
    assert work.webhooks == []


async def test_a_withdrawal_of_an_offer_that_was_heard_of_is_told() -> None:
    work = in_memory(Market(heard_of={(PACKAGE, OFFER)}))
    await tell_of_withdrawal(an_event(OfferWithdrawn), work)
    assert kinds(work) == ["offer.withdrawn"]
    assert work.webhooks[0].give_up_after == timedelta(hours=24)


async def test_the_end_of_an_offer_by_telephone_is_no_news_for_a_system() -> None:
    work = await with_system(in_memory())
    await tell_of_withdrawal(an_event(OfferWithdrawn), work)
    await tell_of_expiry(an_event(OfferExpired), work)
    assert work.webhooks == []


async def test_an_expiry_is_told() -> None:
    work = in_memory(Market(heard_of={(PACKAGE, OFFER)}))
    await tell_of_expiry(an_event(OfferExpired), work)
    assert kinds(work) == ["offer.expired"]


async def test_an_offer_that_goes_by_telephone_from_now_on_is_not_sent_any_more() -> None:
    work = in_memory()
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await redirect_offer(an_event(OfferRedirected, from_channel=Channel.WEBHOOK, to_channel=Channel.PHONE), work)
    assert work.webhooks == []


async def test_a_placement_is_told_with_the_address_behind_which_the_person_is() -> None:
    work = await with_system(in_memory())
    await tell_of_placement(an_event(PackagePlaced), work)
    (webhook,) = work.webhooks
    assert webhook.kind == "package.placed"
    assert webhook.data["links"] == {"person": f"https://referral.example/v1/packages/{PACKAGE}/person"}


async def test_an_awarded_proposal_is_named_where_there_was_no_offer() -> None:
    work, proposal = await with_system(in_memory()), ProposalId(an_id("proposal"))
    await tell_of_placement(an_event(PackagePlaced, offer_id=None, proposal_id=proposal), work)
    await tell_of_placement(an_event(PackagePlaced, proposal_id=None), work)
    awarded, accepted = (webhook.data for webhook in work.webhooks)
    assert (awarded["proposal_id"], "offer_id" in awarded) == (str(proposal), False)
    assert (accepted["offer_id"], "proposal_id" in accepted) == (str(OFFER), False)
    assert awarded["package_id"] == accepted["package_id"] == str(PACKAGE)


async def test_more_time_is_told_to_whoever_has_heard_of_the_offer_with_the_new_end() -> None:
    work = in_memory(Market(heard_of={(PACKAGE, OFFER)}))
    extended = an_event(OfferExtended)
    await tell_of_extension(extended, work)
    (webhook,) = work.webhooks
    assert (webhook.kind, webhook.give_up_after) == ("offer.extended", timedelta(hours=24))
    assert webhook.data == {
        "offer_id": str(OFFER),
        "package_id": str(PACKAGE),
        "answer_by": extended.answer_by.isoformat(),
        "links": {"offer": f"https://sourcing.example/v1/offers/{OFFER}"},
    }


async def test_an_offer_that_no_system_has_heard_of_gains_its_time_in_silence() -> None:
    work = await with_system(in_memory())
    await send_offer(an_event(OfferMade, channel=Channel.WEBHOOK), work)
    await tell_of_extension(an_event(OfferExtended), work)
    assert kinds(work) == ["offer.made"]


async def a_market(*providers: Provider) -> InMemoryRegistryWork:
    """All of them have systems that listen."""
    work = in_memory(Market(providers={each.provider_id: each for each in providers}))
    for each in providers:
        await work.endpoints.put(str(each.provider_id), "https://provider.example/offers")
    return work


def told(work: InMemoryRegistryWork) -> set[str]:
    return {webhook.owner for webhook in work.webhooks}


async def test_an_open_package_is_told_to_all_tiers_of_its_area_and_to_the_spot_market_where_it_is_asked() -> None:
    market = (
        a_provider("Alder", places=[a_place()]),
        a_provider("Birch", places=[a_place(tier=Tier.TWO)]),
        a_provider("Cedar", spot_areas=[COLCHESTER]),
        a_provider("Damson", places=[a_place(TENDRING)], spot_areas=[TENDRING]),
        a_provider("Elder", places=[a_place()], council=CouncilKey("another")),
    )
    for spot, names in ((True, ("Alder", "Birch", "Cedar")), (False, ("Alder", "Birch"))):
        work = await a_market(*market)
        await tell_of_open_package(an_event(PackageListed, spot=spot), work)
        assert told(work) == {str(provider_id(name)) for name in names}


async def test_an_open_package_is_told_to_its_own_framework_where_two_share_an_area() -> None:
    other = a_place(framework=FrameworkKey("essex-live-in-2027"))
    work = await a_market(a_provider("Alder", places=[a_place()]), a_provider("Birch", places=[other]))
    await tell_of_open_package(an_event(PackageListed), work)
    assert told(work) == {str(provider_id("Alder"))}


async def test_an_open_package_is_not_told_during_an_embargo_or_where_nobody_listens() -> None:
    embargoed = replace(a_provider("Alder", places=[a_place()]), embargo=EmbargoReason.SAFEGUARDING)
    work = await a_market(embargoed, a_provider("Birch", spot_areas=[COLCHESTER]))
    await work.endpoints.disable(str(provider_id("Birch")), because="gone")
    await tell_of_open_package(an_event(PackageListed), work)
    assert work.webhooks == []


async def test_an_advert_says_where_to_propose_and_nothing_that_tells_which_package_it_is() -> None:
    work, listed = await a_market(a_provider(places=[a_place()])), an_event(PackageListed, ceiling="99.17")
    await tell_of_open_package(listed, work)
    (webhook,) = work.webhooks
    reference = str(listed.advert.reference)
    package = f"https://sourcing.example/v1/available-packages/{reference}"
    assert (webhook.kind, webhook.about, webhook.give_up_after) == ("package.available", reference, timedelta(hours=24))
    assert webhook.data == {
        "advert": listed.advert.model_dump(mode="json"),
        "unit": "hour",
        "links": {"package": package, "propose": f"{package}/proposals"},
    }
    body = body_of(webhook, at=MONDAY_NINE).decode()
    assert not any(told in body for told in (str(PACKAGE), str(listed.search_id), "99.17", "ceiling"))


async def test_a_voided_placement_is_told() -> None:
    work = await with_system(in_memory())
    await tell_of_voided_placement(an_event(PlacementVoided), work)
    assert kinds(work) == ["placement.voided"]


async def test_news_goes_only_where_a_system_listens() -> None:
    work = in_memory()
    await tell_of_placement(an_event(PackagePlaced), work)
    await with_system(work)
    await work.endpoints.disable(str(ALDER), because="gone")
    await tell_of_voided_placement(an_event(PlacementVoided), work)
    assert work.webhooks == []


async def test_a_delivery_is_told_with_the_instant_of_the_answer() -> None:
    work = in_memory()
    stream = StreamKey(PACKAGES, str(PACKAGE))
    at = MONDAY_NINE - timedelta(seconds=1)
    result = Delivered(an_id("webhook"), str(ALDER), "offer.made", str(OFFER), stream, at, at, attempts=1)
    await note_delivered(result, work)
    assert work.published == [
        OfferDelivered(package_id=PACKAGE, offer_id=OFFER, provider_id=ALDER, channel=Channel.WEBHOOK, delivered_at=at)
    ]


async def test_what_could_not_be_delivered_is_told_with_its_reason() -> None:
    work = in_memory()
    stream = StreamKey(PACKAGES, str(PACKAGE))
    result = Undeliverable(
        an_id("webhook"), str(ALDER), "offer.made", str(OFFER), stream, None, attempts=0, reason="no endpoint"
    )
    await note_undeliverable(result, work)
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


async def test_an_endpoint_that_is_gone_is_told_and_the_channels_follow_on_the_providers_own_stream() -> None:
    work = in_memory()
    await note_gone(Gone(str(ALDER), "essex", MONDAY_NINE), work)
    assert work.published == [EndpointDisabled(provider_id=ALDER, reason="gone")]
