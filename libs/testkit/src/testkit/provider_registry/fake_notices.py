"""Notices in memory. They pass the same test suite as those on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued
from contracts.events.notices import NoticeKind
from contracts.ids import ListId, NoticeId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.domain.announcements import list_channels
from provider_registry.domain.notice import Notice, NoticeState, StandingProposal
from provider_registry.domain.open_matters import OpenMatters
from provider_registry.ports.notices import CallRecord, MailBounce
from service_runtime.webhooks.endpoints import Endpoint

IssuedList = BatchingListIssued | AvailablePackagesIssued


@dataclass
class NoticeTables:
    """The rows of notices and of what belongs to them."""

    notices: dict[NoticeId, Notice] = field(default_factory=dict[NoticeId, Notice])
    proposals: dict[tuple[PackageId, ProviderId], StandingProposal] = field(
        default_factory=dict[tuple[PackageId, ProviderId], StandingProposal]
    )
    calls: list[tuple[NoticeId, CallRecord]] = field(default_factory=list[tuple[NoticeId, CallRecord]])
    bounces: dict[UUID, MailBounce] = field(default_factory=dict[UUID, MailBounce])
    lists: dict[tuple[ListId, int], IssuedList] = field(default_factory=dict[tuple[ListId, int], IssuedList])


@dataclass
class InMemoryNotices:
    """Notices in dictionaries, and the channels of providers with an endpoint or a mailbox."""

    tables: NoticeTables
    endpoints: Mapping[str, Endpoint]
    mailboxes: Collection[str]

    async def find(self, notice_id: NoticeId) -> Notice | None:
        return self.tables.notices.get(notice_id)

    async def find_by_mail(self, mail_id: UUID) -> Notice | None:
        return next((each for each in self.tables.notices.values() if each.mail_id == mail_id), None)

    async def find_newest(self, package_id: PackageId, kind: NoticeKind, about: UUID) -> Notice | None:
        found = [
            each
            for each in self.tables.notices.values()
            if (each.package_id, each.kind, each.about) == (package_id, kind, about)
        ]
        return max(found, key=lambda each: each.notice_id, default=None)

    def get_open_matters(self) -> OpenMatters:
        """Returns the matters of all packages: a test has one."""
        rows = sorted(self.tables.notices.values(), key=lambda each: each.notice_id)
        open_notices = tuple(each for each in rows if each.package_id is not None and each.is_open)
        return OpenMatters(open_notices, tuple(self.tables.proposals.values()))

    async def list_open_of_list(self, list_id: ListId) -> Sequence[Notice]:
        rows = sorted(self.tables.notices.values(), key=lambda each: each.notice_id)
        return [each for each in rows if each.list_id == list_id and each.is_open]

    async def find_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, tuple[Channel, ...]]:
        return {
            each: list_channels(webhook=str(each) in self.endpoints, email=str(each) in self.mailboxes)
            for each in providers
        }

    async def find_first_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, Channel]:
        return {key: channels[0] for key, channels in (await self.find_channels(providers)).items()}

    async def has_bounced(self, mail_id: UUID) -> bool:
        return mail_id in self.tables.bounces

    def save(self, notice: Notice) -> None:
        self.tables.notices[notice.notice_id] = notice

    def mark_notified(self, notice_id: NoticeId, at: datetime) -> None:
        notice = self.tables.notices.get(notice_id)
        if notice is not None and notice.state is not NoticeState.NOTIFIED:
            self.tables.notices[notice_id] = notice.mark_notified(notice.channel, at)

    def save_proposal(self, package_id: PackageId, proposal: StandingProposal) -> None:
        self.tables.proposals[package_id, proposal.provider_id] = proposal

    def end_proposals(self, package_id: PackageId) -> None:
        for key in [key for key in self.tables.proposals if key[0] == package_id]:
            del self.tables.proposals[key]

    def add_call(self, notice: Notice, call: CallRecord) -> None:
        self.tables.calls.append((notice.notice_id, call))

    def add_bounce(self, bounce: MailBounce) -> None:
        self.tables.bounces[bounce.mail_id] = bounce


@dataclass
class InMemoryIssuedLists:
    """Lists as they were issued, in a dictionary."""

    tables: NoticeTables

    def save(self, issued: IssuedList) -> None:
        self.tables.lists.setdefault((issued.list_id, issued.part), issued)
