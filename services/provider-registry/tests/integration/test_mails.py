"""Offers by mail to a real mail server: delivery, refusal, and confidentiality of addresses."""

import base64
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from contracts.catalogue import PROVIDERS
from contracts.events.offers import OfferDelivered, OfferMade, OfferRedirected, OfferUndeliverable
from contracts.events.providers import ChannelsChanged, EndpointDisabled, EndpointFailing
from contracts.examples import an_example_of
from contracts.ids import FrameworkKey, ProviderId
from contracts.offer_links import OfferLinkSigner
from contracts.values import Channel
from provider_registry.settings import Settings
from provider_registry.wiring import build
from testkit.clocks import MovableClock
from testkit.databases import fetch_number, fetch_rows
from testkit.mail_server import FakeMailServer
from testkit.provider_registry.builders import OTHER_COUNCIL
from testkit.provider_registry.harness import OPERATE, RegistryHarness, WebhookReceiver
from testkit.running_services import EventPublisher, find_free_port, run_service
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer
from testkit.waiting import wait_until

LINK_KEY = "a link key for tests with 32 characters"
LINK = "https://sourcing.example/v1/offer-links/"


@dataclass
class MailHarness:
    """A running registry and its mail server."""

    harness: RegistryHarness
    mail: FakeMailServer

    async def set_mailbox(self, provider: UUID) -> str:
        """Sets a new mailbox of the provider and returns its address."""
        address = f"offers-{secrets.token_hex(6)}@alder.example"
        path = f"/v1/providers/{provider}/mailbox"
        assert (await self.harness.request_as_provider(provider, "PUT", path, {"address": address})).status == 204
        return address

    async def make_offer(self, provider: UUID) -> OfferMade:
        return await self.harness.make_offer(provider, channel=Channel.EMAIL)


@pytest_asyncio.fixture(scope="module")
async def mail_harness(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[MailHarness]:
    clock, receiver = MovableClock(), WebhookReceiver(find_free_port())
    async with (
        receiver.serve(),
        FakeMailServer().run() as mail,
        TokenIssuer().serve() as issuer,
        run_service(
            Settings,
            build,
            databases=postgres,
            kafka=own_kafka.connection,
            issuer=issuer,
            clock=clock,
            sourcing_url="https://sourcing.example",
            referral_url="https://referral.example",
            webhook_keys=(base64.b64encode(secrets.token_bytes(32)).decode(),),
            webhook_private_addresses=(f"127.0.0.1:{receiver.port}",),
            smtp_host="127.0.0.1",
            smtp_port=mail.port,
            smtp_from="offers@calloff.example",
            smtp_starttls=False,
            offer_link_key=LINK_KEY,
        ) as registry,
        EventPublisher(own_kafka.connection, "sourcing") as sourcing,
    ):
        framework = FrameworkKey(f"invented-{secrets.token_hex(4)}")
        yield MailHarness(RegistryHarness(registry, sourcing, receiver, clock, own_kafka.connection, framework), mail)


async def test_an_offer_arrives_by_mail_with_a_link_and_its_delivery_is_published(mail_harness: MailHarness) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider()
    address = await mail_harness.set_mailbox(alder)
    offer = await mail_harness.make_offer(alder)
    (events,) = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    assert isinstance(events, OfferDelivered)
    assert (events.channel, events.delivered_at) == (Channel.EMAIL, harness.clock.now())
    (received,) = mail_harness.mail.find_mail(address)
    assert received.mail["From"] == "offers@calloff.example"
    assert "Service: personal care" in received.text
    link = OfferLinkSigner(LINK_KEY).verify_token(received.text.split(LINK)[1].split()[0], now=harness.clock.now())
    assert (link.offer_id, link.provider_id) == (offer.offer_id, alder)
    log = await harness.request_as_provider(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["kind"], delivery["outcome"]) == ("offer.mailed", "delivered")
    assert f"<{delivery['webhook_id']}@calloff.example>" == received.mail["Message-ID"]


@pytest.mark.parametrize(
    ("typed", "reached"),
    [
        (" o'lastname@alder.example\u00a0", "o'lastname@alder.example"),
        ("a&b@alder.example", "a&b@alder.example"),
        ("offers@bücher.example", "offers@xn--bcher-kva.example"),
    ],
)
async def test_mail_reaches_a_mailbox_as_people_have_it(mail_harness: MailHarness, typed: str, reached: str) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider()
    path = f"/v1/providers/{alder}/mailbox"
    assert (await harness.request_as_provider(alder, "PUT", path, {"address": typed})).status == 204
    offer = await mail_harness.make_offer(alder)
    await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    assert [received.mail["To"] for received in mail_harness.mail.find_mail(reached)] == [reached]


async def test_a_mailbox_is_the_channel_after_the_endpoint_until_it_is_removed(mail_harness: MailHarness) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider(with_endpoint=True)
    await mail_harness.set_mailbox(alder)
    assert (await harness.request("DELETE", f"/v1/providers/{alder}/mailbox")).status == 204
    events = await harness.wait_for_event(ChannelsChanged, str(alder), times=4)
    channels = [each.channels for each in events if isinstance(each, ChannelsChanged)]
    both = (Channel.WEBHOOK, Channel.PHONE)
    assert channels == [(Channel.PHONE,), both, (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE), both]


async def test_a_refused_mailbox_is_undeliverable_when_the_grace_period_ends(mail_harness: MailHarness) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider()
    address = await mail_harness.set_mailbox(alder)
    mail_harness.mail.reply_codes[address] = 550
    began = harness.clock.now()
    offer = await mail_harness.make_offer(alder)
    await wait_until(lambda: address in mail_harness.mail.attempts)
    harness.clock.set_to(began + timedelta(minutes=2, seconds=1))
    (events,) = await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.channel, events.first_attempt_at, events.reason) == (Channel.EMAIL, began, "status 550")
    assert mail_harness.mail.find_mail(address) == []


async def test_an_offer_without_a_mailbox_is_undeliverable_at_once(mail_harness: MailHarness) -> None:
    alder = await mail_harness.harness.register_provider()
    offer = await mail_harness.make_offer(alder)
    (events,) = await mail_harness.harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.channel, events.reason) == (Channel.EMAIL, "no endpoint")


async def test_an_offer_undeliverable_by_webhook_goes_by_mail_with_the_same_content(mail_harness: MailHarness) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider()
    address = await mail_harness.set_mailbox(alder)
    offer = await harness.make_offer(alder)
    await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    redirected = an_example_of(
        OfferRedirected,
        package_id=offer.package_id,
        offer_id=offer.offer_id,
        provider_id=alder,
        from_channel=Channel.WEBHOOK,
        to_channel=Channel.EMAIL,
    )
    await harness.publish(redirected)
    await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    (received,) = mail_harness.mail.find_mail(address)
    assert f"Where: {offer.care.outward_code}, {offer.care.area}" in received.text
    assert f"£{offer.terms.weekly_cost:.2f} a week" in received.text


async def test_no_table_topic_log_or_span_contains_an_address(
    mail_harness: MailHarness, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spans = InMemorySpanExporter()
    tracing = trace.get_tracer_provider()
    if not isinstance(tracing, TracerProvider):
        tracing = TracerProvider()
        trace.set_tracer_provider(tracing)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    harness = mail_harness.harness
    alder = await harness.register_provider()
    address = await mail_harness.set_mailbox(alder)
    refused = await harness.request_as_provider(
        alder, "PUT", f"/v1/providers/{alder}/mailbox", {"address": f"{address} x"}
    )
    offer = await mail_harness.make_offer(alder)
    events = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    events += await harness.wait_for_event(ChannelsChanged, str(alder), times=2)
    name = address.partition("@")[0]
    for (table,) in await fetch_rows(harness.database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        query = (
            f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :name) > 0"
            f" OR strpos(CAST({table} AS text), :hex) > 0"
        )
        assert await fetch_number(harness.database, query, name=name, hex=name.encode().hex()) == 0, table
    written = capfd.readouterr()
    places = [
        refused.body,
        await harness.request("GET", f"/v1/providers/{alder}"),
        events,
        caplog.text,
        written.out + written.err,
    ]
    places += [span.to_json() for span in spans.get_finished_spans()]
    assert name not in str(places)
    assert (refused.status, len(mail_harness.mail.find_mail(address))) == (422, 1)
    assert await harness.read_events(str(alder), topic=PROVIDERS)


async def test_a_mailbox_is_managed_by_its_own_provider_only(mail_harness: MailHarness) -> None:
    harness = mail_harness.harness
    alder, birch = await harness.register_provider(), await harness.register_provider("Birch Care Ltd")
    path, body = f"/v1/providers/{alder}/mailbox", {"address": "offers@alder.example"}
    assert (await harness.request_as_provider(birch, "PUT", path, body)).status == 404
    assert (await harness.request_as_provider(birch, "DELETE", path)).status == 404
    assert (await harness.request("PUT", path, body, council=OTHER_COUNCIL)).status == 404
    assert (await harness.request("PUT", f"/v1/providers/{uuid4()}/mailbox", body)).status == 404


@pytest.mark.parametrize(
    "address", ["", "alder", "a@b", "a b@alder.example", "a@alder.example\nBcc: x@y.example", "<a@alder.example>"]
)
async def test_an_invalid_address_is_refused_and_not_echoed(mail_harness: MailHarness, address: str) -> None:
    answer = await mail_harness.harness.request("PUT", f"/v1/providers/{uuid4()}/mailbox", {"address": address})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "#/address")
    assert not address or address not in str(answer.body)


async def fail_an_offer(harness: RegistryHarness, provider: ProviderId) -> None:
    """Makes an offer that the provider's endpoint does not accept until it is undeliverable."""
    before = len(harness.receiver.get_received(provider))
    offer = await harness.make_offer(provider)
    await wait_until(lambda: len(harness.receiver.get_received(provider)) > before)
    harness.clock.advance(timedelta(minutes=2, seconds=1))
    await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))


async def test_the_owner_is_told_before_its_endpoint_is_disabled_and_again_when_it_is(
    mail_harness: MailHarness,
) -> None:
    harness = mail_harness.harness
    alder = await harness.register_provider(with_endpoint=True)
    address = await mail_harness.set_mailbox(alder)
    harness.receiver.statuses[str(alder)] = 503
    since = harness.clock.now()
    await fail_an_offer(harness, alder)
    harness.clock.advance(timedelta(hours=20))
    await fail_an_offer(harness, alder)
    harness.clock.set_to(since + timedelta(hours=24, seconds=1))
    (failing,) = [
        each for each in await harness.wait_for_event(EndpointFailing, str(alder)) if isinstance(each, EndpointFailing)
    ]
    assert (failing.failing_since, {each.failure for each in failing.answers}) == (since, {"status 503"})
    await wait_until(lambda: len(mail_harness.mail.find_mail(address)) == 1)
    assert "status 503" in mail_harness.mail.find_mail(address)[0].text
    shown = (await harness.request_as_provider(alder, "GET", f"/v1/providers/{alder}")).body["endpoint"]
    assert (shown["enabled"], shown["failing_since"] is None) == (True, False)
    listed = (await harness.request("GET", "/v1/failing-endpoints", scope=OPERATE)).body
    assert [each["provider_id"] for each in listed] == [str(alder)]
    await fail_an_offer(harness, alder)
    harness.clock.advance(timedelta(days=5))
    events = await harness.wait_for_event(EndpointDisabled, str(alder))
    assert EndpointDisabled(provider_id=alder, reason="gone", failing_since=since) in events
    await wait_until(lambda: len(mail_harness.mail.find_mail(address)) == 2)
    shown = (await harness.request("GET", f"/v1/providers/{alder}")).body
    assert (shown["endpoint"]["disabled_because"], shown["channels"]) == ("failing", ["email", "phone"])
