"""Offers on their way to a real mail server: handed over, refused, and by no word of whose address it is elsewhere."""

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
from contracts.events.packages import OfferDelivered, OfferMade, OfferRedirected, OfferUndeliverable
from contracts.events.providers import ChannelsChanged
from contracts.examples import an_example_of
from contracts.ids import FrameworkKey
from contracts.offer_links import OfferLinks
from contracts.values import Channel
from provider_registry.settings import Settings
from provider_registry.wiring import build
from testkit.clocks import MovableClock
from testkit.databases import number, rows
from testkit.mail_server import MailServerInTest
from testkit.provider_registry.harness import RegistryHarness, WebhookReceiver
from testkit.running_services import Voice, a_service, free_port
from testkit.servers import TestKafka, TestPostgres
from testkit.tokens import TokenIssuer
from testkit.waiting import until

LINK_KEY = "a key that only tests have, of some length"
LINK = "https://sourcing.example/v1/offer-links/"


@dataclass
class Office:
    """A registry that mails, and the mail server that it hands over to."""

    harness: RegistryHarness
    mail: MailServerInTest

    async def give_mailbox(self, provider: UUID) -> str:
        """The provider's mailbox; gives its address."""
        address = f"offers-{secrets.token_hex(6)}@alder.example"
        path = f"/v1/providers/{provider}/mailbox"
        assert (await self.harness.request_as_provider(provider, "PUT", path, {"address": address})).status == 204
        return address

    async def offer(self, provider: UUID) -> OfferMade:
        return await self.harness.make_offer(provider, channel=Channel.EMAIL)


@pytest_asyncio.fixture(scope="module")
async def office(postgres: TestPostgres, own_kafka: TestKafka) -> AsyncGenerator[Office]:
    clock, receiver = MovableClock(), WebhookReceiver(free_port())
    async with (
        receiver.serve(),
        MailServerInTest().run() as mail,
        TokenIssuer().serve() as issuer,
        a_service(
            Settings,
            build,
            databases=postgres,
            bootstrap=own_kafka.bootstrap,
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
        Voice(own_kafka.bootstrap, "sourcing") as sourcing,
    ):
        framework = FrameworkKey(f"invented-{secrets.token_hex(4)}")
        yield Office(RegistryHarness(registry, sourcing, receiver, clock, own_kafka.bootstrap, framework), mail)


async def test_an_offer_arrives_by_mail_with_a_link_and_its_delivery_is_published(office: Office) -> None:
    harness = office.harness
    alder = await harness.register()
    address = await office.give_mailbox(alder)
    offer = await office.offer(alder)
    (events,) = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    assert isinstance(events, OfferDelivered)
    assert (events.channel, events.delivered_at) == (Channel.EMAIL, harness.clock.now())
    (letter,) = office.mail.to(address)
    assert letter.mail["From"] == "offers@calloff.example"
    assert "Service: personal care" in letter.text
    link = OfferLinks(LINK_KEY).check(letter.text.split(LINK)[1].split()[0], now=harness.clock.now())
    assert (link.offer_id, link.provider_id) == (offer.offer_id, alder)
    log = await harness.request_as_provider(alder, "GET", f"/v1/providers/{alder}/deliveries")
    (delivery,) = log.body["items"]
    assert (delivery["kind"], delivery["outcome"]) == ("offer.mailed", "delivered")
    assert f"<{delivery['webhook_id']}@calloff.example>" == letter.mail["Message-ID"]


async def test_a_mailbox_is_the_channel_after_the_endpoint_until_it_is_removed(office: Office) -> None:
    harness = office.harness
    alder = await harness.register(system=True)
    await office.give_mailbox(alder)
    assert (await harness.request("DELETE", f"/v1/providers/{alder}/mailbox")).status == 204
    events = await harness.wait_for_event(ChannelsChanged, str(alder), times=4)
    channels = [each.channels for each in events if isinstance(each, ChannelsChanged)]
    both = (Channel.WEBHOOK, Channel.PHONE)
    assert channels == [(Channel.PHONE,), both, (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE), both]


async def test_a_refused_mailbox_is_undeliverable_when_the_grace_period_ends(office: Office) -> None:
    harness = office.harness
    alder = await harness.register()
    address = await office.give_mailbox(alder)
    office.mail.refused[address] = 550
    began = harness.clock.now()
    offer = await office.offer(alder)
    await until(lambda: address in office.mail.attempts)
    harness.clock.set_to(began + timedelta(minutes=2, seconds=1))
    (events,) = await harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.channel, events.first_attempt_at, events.reason) == (Channel.EMAIL, began, "status 550")
    assert office.mail.to(address) == []


async def test_an_offer_without_a_mailbox_is_undeliverable_at_once(office: Office) -> None:
    alder = await office.harness.register()
    offer = await office.offer(alder)
    (events,) = await office.harness.wait_for_event(OfferUndeliverable, str(offer.package_id))
    assert isinstance(events, OfferUndeliverable)
    assert (events.channel, events.reason) == (Channel.EMAIL, "no endpoint")


async def test_an_offer_undeliverable_by_webhook_goes_by_mail_with_the_same_content(office: Office) -> None:
    harness = office.harness
    alder = await harness.register()
    address = await office.give_mailbox(alder)
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
    (letter,) = office.mail.to(address)
    assert f"Where: {offer.care.outward_code}, {offer.care.area}" in letter.text
    assert f"£{offer.terms.weekly_cost:.2f} a week" in letter.text


async def test_an_address_is_in_no_table_topic_log_or_span(
    office: Office, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    spans = InMemorySpanExporter()
    tracing = trace.get_tracer_provider()
    if not isinstance(tracing, TracerProvider):
        tracing = TracerProvider()
        trace.set_tracer_provider(tracing)
    tracing.add_span_processor(SimpleSpanProcessor(spans))
    harness = office.harness
    alder = await harness.register()
    address = await office.give_mailbox(alder)
    refused = await harness.request_as_provider(
        alder, "PUT", f"/v1/providers/{alder}/mailbox", {"address": f"{address} x"}
    )
    offer = await office.offer(alder)
    events = await harness.wait_for_event(OfferDelivered, str(offer.package_id))
    events += await harness.wait_for_event(ChannelsChanged, str(alder), times=2)
    name = address.partition("@")[0]
    for (table,) in await rows(harness.database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        query = (
            f"SELECT count(*) FROM {table} WHERE strpos(CAST({table} AS text), :name) > 0"
            f" OR strpos(CAST({table} AS text), :hex) > 0"
        )
        assert await number(harness.database, query, name=name, hex=name.encode().hex()) == 0, table
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
    assert (refused.status, len(office.mail.to(address))) == (422, 1)
    assert await harness.read_events(str(alder), topic=PROVIDERS)


async def test_a_mailbox_is_managed_by_its_own_provider_only(office: Office) -> None:
    harness = office.harness
    alder, birch = await harness.register(), await harness.register("Birch Care Ltd")
    path, body = f"/v1/providers/{alder}/mailbox", {"address": "offers@alder.example"}
    assert (await harness.request_as_provider(birch, "PUT", path, body)).status == 404
    assert (await harness.request_as_provider(birch, "DELETE", path)).status == 404
    assert (await harness.request("PUT", path, body, council="oxfordshire")).status == 404
    assert (await harness.request("PUT", f"/v1/providers/{uuid4()}/mailbox", body)).status == 404


@pytest.mark.parametrize(
    "address", ["", "alder", "a@b", "a b@alder.example", "a@alder.example\nBcc: x@y.example", "<a@alder.example>"]
)
async def test_an_invalid_address_is_refused_and_not_echoed(office: Office, address: str) -> None:
    answer = await office.harness.request("PUT", f"/v1/providers/{uuid4()}/mailbox", {"address": address})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "#/address")
    assert not address or address not in str(answer.body)
