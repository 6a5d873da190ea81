"""Ports of notices: what providers are told, whom officers call, and the queries of both."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListRecipient
from contracts.events.notices import NoticeKind
from contracts.events.offers import CallResult
from contracts.framework.definition import FrameworkDefinition
from contracts.ids import AreaCode, CouncilKey, FrameworkKey, ListId, NoticeId, PackageId, ProviderId
from contracts.values import Channel
from provider_registry.domain.list_mail import ListAsText
from provider_registry.domain.notice import Notice, NoticeState, StandingProposal
from provider_registry.domain.open_matters import OpenMatters
from provider_registry.domain.provider import Definitions

NO_END: Final = datetime(9999, 12, 31, tzinfo=UTC)
"""The sort key of notices that are not told, which come first."""

PagePosition = tuple[datetime, UUID]
"""Sort key of the last row of the previous page: instant and id."""


@dataclass(frozen=True)
class CallRecord:
    """One call of an officer about a notice."""

    attempt: int
    result: CallResult
    officer: str
    called_at: datetime


@dataclass(frozen=True)
class MailBounce:
    """A mail that came back, with the status of its report (RFC 3463), such as 5.1.1."""

    mail_id: UUID
    status: str


class Notices(Protocol):
    """Notices to providers, the proposals that stand, and officers' calls."""

    async def find(self, notice_id: NoticeId) -> Notice | None: ...

    async def find_by_mail(self, mail_id: UUID) -> Notice | None: ...

    async def find_newest(self, package_id: PackageId, kind: NoticeKind, about: UUID) -> Notice | None: ...

    def get_open_matters(self) -> OpenMatters:
        """Returns what is open about the package of this unit of work's stream."""
        ...

    async def list_open_of_list(self, list_id: ListId) -> Sequence[Notice]: ...

    async def find_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, tuple[Channel, ...]]:
        """Returns each provider's channels in order of use, the telephone last.

        A webhook to a disabled endpoint is undeliverable at once and kept for its owner; the next channel follows.
        """
        ...

    async def find_first_channels(self, providers: Collection[ProviderId]) -> Mapping[ProviderId, Channel]:
        """Returns each provider's first channel, as `find_channels` orders them."""
        ...

    async def has_bounced(self, mail_id: UUID) -> bool: ...

    def save(self, notice: Notice) -> None: ...

    def mark_notified(self, notice_id: NoticeId, at: datetime) -> None:
        """Marks a notice as told by the channel that it has; it need not be loaded."""
        ...

    def save_proposal(self, package_id: PackageId, proposal: StandingProposal) -> None:
        """Saves a provider's newest proposal in place of its older one."""
        ...

    def end_proposals(self, package_id: PackageId) -> None:
        """Removes the package's proposals, which do not stand any more."""
        ...

    def add_call(self, notice: Notice, call: CallRecord) -> None: ...

    def add_bounce(self, bounce: MailBounce) -> None: ...


class IssuedLists(Protocol):
    """Lists as they were issued."""

    def save(self, issued: BatchingListIssued | AvailablePackagesIssued) -> None:
        """Saves a part of a list; a part that is saved already stays as it is."""
        ...


@dataclass(frozen=True)
class ListFile:
    """A list as a file; `content_type` is `type/subtype`."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class RenderedList:
    """What one recipient gets of a list: in words, and as files."""

    text: ListAsText
    files: tuple[ListFile, ...]


class RenderList(Protocol):
    """Renders what one recipient gets of a list."""

    def __call__(
        self,
        issued: BatchingListIssued | AvailablePackagesIssued,
        recipient: ListRecipient,
        definition: FrameworkDefinition,
        /,
    ) -> RenderedList:
        """`issued` has the recipient's rows."""
        ...


@dataclass(frozen=True)
class FoundNotice:
    """A notice with its provider; both are None for a provider that the registry does not have."""

    notice: Notice
    provider_name: str | None
    phone: str | None = field(repr=False)


@dataclass(frozen=True)
class CallFilter:
    """Which entries of the call list are shown."""

    area: AreaCode | None = None
    framework: FrameworkKey | None = None
    due_before: datetime | None = None


@dataclass(frozen=True)
class NoticeFilter:
    """Which notices are shown. Without a package, list or provider: those that are not told."""

    package_id: PackageId | None = None
    list_id: ListId | None = None
    provider_id: ProviderId | None = None
    state: NoticeState | None = None


@dataclass(frozen=True)
class QueuedMailPlace:
    """A mail of the delivery queue, and the stream that it belongs to."""

    mail_id: UUID
    topic: str
    key: str


class NoticeQueries(Protocol):
    """Read-only queries of notices; each returns rows of one council only."""

    async def list_calls(
        self, council: CouncilKey, chosen: CallFilter, *, after: PagePosition | None, limit: int
    ) -> Sequence[FoundNotice]:
        """Returns the notices that an officer has to call about, the first due first."""
        ...

    async def list_notices(
        self, council: CouncilKey, chosen: NoticeFilter, *, after: PagePosition | None, limit: int
    ) -> Sequence[FoundNotice]:
        """Returns those that are not told first, then the newest told or lapsed ones."""
        ...

    async def find_notice(self, notice_id: NoticeId, *, council: CouncilKey) -> FoundNotice | None: ...

    async def find_mail(self, mail_id: UUID, *, council: CouncilKey) -> QueuedMailPlace | None: ...

    async def load_definitions(self, frameworks: Collection[FrameworkKey]) -> Definitions:
        """Returns the newest definitions, whose titles calls are worded with."""
        ...
