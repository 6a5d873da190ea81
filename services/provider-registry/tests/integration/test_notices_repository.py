"""Notices, proposals that stand, and channels: one suite over the registry in memory and on PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from contracts.catalogue import PACKAGES
from contracts.events.lists import BatchingListIssued
from contracts.events.notices import CallReason, NoticeKind
from contracts.events.offers import CallResult, OfferMade
from contracts.examples import COLCHESTER, COUNCIL, FRAMEWORK, an_example_of, an_id, some_care
from contracts.ids import CouncilKey, ListId, NoticeId, OfferId, PackageId, ProposalId
from contracts.values import AnswerBy, Channel
from provider_registry.domain.notice import Notice, NoticeFacts, NoticeState, StandingProposal
from provider_registry.domain.offer_summary import OfferSummary
from provider_registry.domain.open_matters import OpenMatters
from provider_registry.ports.notices import CallRecord, MailBounce
from provider_registry.store import TABLES
from service_runtime.unit_of_work.streams import StreamKey
from testkit.clocks import MONDAY_NINE
from testkit.databases import a_database
from testkit.provider_registry.builders import to_provider_id
from testkit.provider_registry.repositories import RegistryWorkFactory, build_on_postgres
from testkit.servers import TestPostgres

PACKAGE = PackageId(an_id("package"))
STREAM = StreamKey(PACKAGES, str(PACKAGE))
ALDER, BIRCH, CEDAR = (to_provider_id(name) for name in ("Alder", "Birch", "Cedar"))
OFFER = an_example_of(OfferMade)
FACTS = NoticeFacts(
    framework=FRAMEWORK,
    area=COLCHESTER,
    weekly_hours=Decimal("14.00"),
    answer_within=AnswerBy(minutes=30, brokerage_time=True),
    offer=OfferSummary(some_care(), Decimal("3.50"), OFFER.terms),
)


def a_notice(name: str = "first", **changed: object) -> Notice:
    usual = Notice(
        notice_id=NoticeId(an_id(name)),
        council=CouncilKey(COUNCIL),
        package_id=PACKAGE,
        list_id=None,
        kind=NoticeKind.OFFER_MADE,
        about=an_id("offer"),
        provider_id=ALDER,
        facts=FACTS,
        channel=Channel.EMAIL,
        state=NoticeState.SENDING,
        created_at=MONDAY_NINE,
        due_at=MONDAY_NINE + timedelta(minutes=30),
        mail_id=an_id(f"mail of {name}"),
    )
    return replace(usual, **changed)  # pyright: ignore[reportArgumentType]  a test names the fields


async def test_a_notice_is_found_as_it_was_saved(registry: RegistryWorkFactory) -> None:
    notice = a_notice()
    async with registry(on=STREAM) as work:
        work.notices.save(notice)
    async with registry(on=STREAM) as work:
        assert await work.notices.find(notice.notice_id) == notice
        assert await work.notices.find_by_mail(an_id("mail of first")) == notice
        assert await work.notices.find_newest(PACKAGE, NoticeKind.OFFER_MADE, an_id("offer")) == notice
        assert await work.notices.find_newest(PACKAGE, NoticeKind.OFFER_EXPIRED, an_id("offer")) is None
        assert await work.notices.find(NoticeId(an_id("unknown"))) is None


async def test_a_notice_that_changes_keeps_its_place(registry: RegistryWorkFactory) -> None:
    notice = a_notice()
    waiting = notice.put_on_call_list(CallReason.MAIL_BOUNCED)
    async with registry(on=STREAM) as work:
        work.notices.save(notice)
    async with registry(on=STREAM) as work:
        work.notices.save(waiting)
    async with registry(on=STREAM) as work:
        assert await work.notices.find(notice.notice_id) == waiting
        assert work.notices.get_open_matters().notices == (waiting,)


async def test_a_notice_is_marked_as_told_once_without_being_loaded(registry: RegistryWorkFactory) -> None:
    notice = a_notice(channel=Channel.WEBHOOK, mail_id=None)
    async with registry(on=STREAM) as work:
        work.notices.save(notice)
    for at in (MONDAY_NINE, MONDAY_NINE + timedelta(hours=1)):
        async with registry(on=STREAM) as work:
            work.notices.mark_notified(notice.notice_id, at)
    async with registry(on=STREAM) as work:
        found = await work.notices.find(notice.notice_id)
        open_matters = work.notices.get_open_matters()
    assert found == notice.mark_notified(Channel.WEBHOOK, MONDAY_NINE)
    assert open_matters.notices == ()


async def test_an_offer_that_a_call_has_delivered_counts_as_sent(registry: RegistryWorkFactory) -> None:
    offer = OfferId(an_id("offer"))
    waiting = a_notice().put_on_call_list(CallReason.ONLY_BY_PHONE)
    async with registry(on=STREAM) as work:
        work.notices.save(waiting)
    async with registry(on=STREAM) as work:
        before = await work.sent_offers.has_been_sent(PACKAGE, offer)
        work.notices.save(waiting.mark_notified(Channel.PHONE, MONDAY_NINE))
    async with registry(on=STREAM) as work:
        after = await work.sent_offers.has_been_sent(PACKAGE, offer)
    assert (before, after) == (False, True)


async def test_the_newest_proposal_of_a_provider_stands_until_the_proposals_end(registry: RegistryWorkFactory) -> None:
    older, newer, other = (
        StandingProposal(provider, ProposalId(an_id(name)), FACTS)
        for provider, name in ((ALDER, "older"), (ALDER, "newer"), (BIRCH, "other"))
    )
    for each in (older, other, newer):
        async with registry(on=STREAM) as work:
            work.notices.save_proposal(PACKAGE, each)
    async with registry(on=STREAM) as work:
        standing = work.notices.get_open_matters().proposals
        work.notices.end_proposals(PACKAGE)
    async with registry(on=STREAM) as work:
        left = work.notices.get_open_matters().proposals
    assert (set(standing), left) == ({newer, other}, ())


async def test_channels_are_in_order_of_use_and_a_disabled_endpoint_is_tried_first(
    registry: RegistryWorkFactory,
) -> None:
    async with registry(on=STREAM) as work:
        await work.endpoints.put(str(ALDER), "https://alder.example/offers")
        await work.endpoints.put(str(BIRCH), "https://birch.example/offers")
        await work.mailboxes.put(str(ALDER), "offers@alder.example")
    async with registry(on=STREAM) as work:
        await work.endpoints.disable(str(BIRCH), because="gone")
    async with registry(on=STREAM) as work:
        found = await work.notices.find_channels([ALDER, BIRCH, CEDAR])
    assert found == {
        ALDER: (Channel.WEBHOOK, Channel.EMAIL, Channel.PHONE),
        BIRCH: (Channel.WEBHOOK, Channel.PHONE),
        CEDAR: (Channel.PHONE,),
    }


async def test_notices_of_a_list_are_found_until_they_are_settled(registry: RegistryWorkFactory) -> None:
    list_id = ListId(an_id("list"))
    first, second = (
        a_notice(name, package_id=None, list_id=list_id, kind=NoticeKind.LIST_ISSUED) for name in ("first", "second")
    )
    async with registry(on=STREAM) as work:
        work.notices.save(first)
        work.notices.save(second.mark_lapsed(MONDAY_NINE))
    async with registry(on=STREAM) as work:
        assert await work.notices.list_open_of_list(list_id) == [first]


async def test_a_bounce_and_a_call_are_recorded(registry: RegistryWorkFactory) -> None:
    notice = a_notice()
    async with registry(on=STREAM) as work:
        work.notices.save(notice)
    async with registry(on=STREAM) as work:
        work.notices.add_call(notice, CallRecord(1, CallResult.REACHED, "officer:first", MONDAY_NINE))
        work.notices.add_bounce(MailBounce(an_id("mail of first"), "5.1.1"))
    async with registry(on=STREAM) as work:
        assert await work.notices.has_bounced(an_id("mail of first"))
        assert not await work.notices.has_bounced(an_id("another mail"))


async def test_a_part_of_a_list_is_saved_once(registry: RegistryWorkFactory) -> None:
    issued = an_example_of(BatchingListIssued)
    for _ in range(2):
        async with registry(on=STREAM) as work:
            work.issued_lists.save(issued)


async def test_another_process_loads_what_is_open_about_a_package(postgres: TestPostgres) -> None:
    waiting = a_notice("first").put_on_call_list(CallReason.ONLY_BY_PHONE)
    settled = a_notice("second").mark_notified(Channel.EMAIL, MONDAY_NINE)
    proposal = StandingProposal(BIRCH, ProposalId(an_id("proposal")), FACTS)
    async with a_database(postgres, TABLES, name="registry") as database:
        async with build_on_postgres(database)(on=STREAM) as work:
            work.notices.save(waiting)
            work.notices.save(settled)
            work.notices.save_proposal(PACKAGE, proposal)
        other = build_on_postgres(database)
        async with other(on=STREAM) as work:
            assert work.notices.get_open_matters() == OpenMatters((waiting,), (proposal,))
        async with other(on=StreamKey(PACKAGES, str(an_id("another package")))) as work:
            assert work.notices.get_open_matters() == OpenMatters()
