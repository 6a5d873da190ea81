"""Steps of tests about notices: a provider with some channels, and results of its webhooks and mails."""

from datetime import timedelta

from contracts.catalogue import PACKAGES
from contracts.events.notices import NoticeKind
from contracts.examples import an_id
from contracts.ids import NoticeId, OfferId, PackageId, PlacementId, ProviderId
from contracts.values import Channel
from provider_registry.domain.notice import Notice
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.deliveries import Webhook
from service_runtime.webhooks.results import Delivered, Undeliverable
from testkit.clocks import MONDAY_NINE
from testkit.provider_registry.fakes import InMemoryRegistryWork, RegistryTables, build_unit_of_work

OFFER, PACKAGE, ALDER = OfferId(an_id("offer_id")), PackageId(an_id("package_id")), ProviderId(an_id("provider_id"))
BIRCH, PLACEMENT = ProviderId(an_id("Birch")), PlacementId(an_id("placement_id"))
STREAM = StreamKey(PACKAGES, str(PACKAGE))
URL = "https://alder.example/offers"


async def a_work(*channels: Channel, of: ProviderId = ALDER, sent: bool = False) -> InMemoryRegistryWork:
    """The unit of work of a market in which one provider has these channels beside the telephone."""
    tables = RegistryTables(sent_offers={(PACKAGE, OFFER)} if sent else set())
    work = build_unit_of_work(tables)
    await add_channels(work, *channels, of=of)
    return work


async def add_channels(work: InMemoryRegistryWork, *channels: Channel, of: ProviderId) -> None:
    if Channel.WEBHOOK in channels:
        await work.endpoints.put(str(of), URL)
    if Channel.EMAIL in channels:
        await work.mailboxes.put(str(of), "office@alder.example")


def get_notice(work: InMemoryRegistryWork, kind: NoticeKind = NoticeKind.PACKAGE_PLACED) -> Notice:
    (notice,) = [each for each in work.tables.notices.notices.values() if each.kind is kind]
    return notice


def get_notice_by_id(work: InMemoryRegistryWork, notice_id: NoticeId) -> Notice:
    return work.tables.notices.notices[notice_id]


def fail(webhook: Webhook, reason: str = "status 500") -> Undeliverable:
    assert webhook.id is not None
    return Undeliverable(
        webhook.id, webhook.owner, webhook.kind, webhook.about, STREAM, MONDAY_NINE, attempts=3, reason=reason
    )


def deliver(webhook: Webhook) -> Delivered:
    assert webhook.id is not None
    at = MONDAY_NINE - timedelta(seconds=1)
    return Delivered(webhook.id, webhook.owner, webhook.kind, webhook.about, STREAM, at, at, attempts=1)
