"""A notice: what one provider has to be told of one event, by which channel, and what became of it."""

from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from contracts.events.listings import Advert
from contracts.events.lists import ListKind
from contracts.events.notices import CallReason, NoticeKind
from contracts.ids import (
    AreaCode,
    CouncilKey,
    FrameworkKey,
    ListId,
    NoticeId,
    PackageId,
    ProposalId,
    ProviderId,
    ServiceTypeKey,
    UnitKey,
)
from contracts.values import AnswerBy, Channel
from provider_registry.domain.offer_summary import OfferSummary


class NoticeState(StrEnum):
    """What became of a notice."""

    SENDING = "sending"
    TO_CALL = "to call"
    NOTIFIED = "notified"
    LAPSED = "lapsed"
    """What it was about ended before the provider was told."""


@dataclass(frozen=True)
class ListFacts:
    """A part of a list as one provider gets it."""

    kind: ListKind
    part: int
    day: date
    rows: int
    content_hash: str
    """Of the whole part."""
    moved_from: date | None = None
    closes_at: datetime | None = None
    """Until when it can be returned (inclusive)."""
    next_list_on: date | None = None


@dataclass(frozen=True)
class NoticeFacts:
    """Coded facts from which a notice's mail and an officer's call are worded; none of them identifies the person."""

    framework: FrameworkKey | None = None
    area: AreaCode | None = None
    outward_code: str | None = None
    service_type: ServiceTypeKey | None = None
    weekly_hours: Decimal | None = None
    starts_on: date | None = None
    reason: str | None = None
    """A reason of the framework's lists, or one in words."""
    answer_by: datetime | None = None
    answer_within: AnswerBy | None = None
    offer: OfferSummary | None = None
    advert: Advert | None = None
    unit: UnitKey | None = None
    rate: Decimal | None = None
    """Pounds for each unit."""
    issued: ListFacts | None = None

    def complete(self, other: "NoticeFacts") -> "NoticeFacts":
        """Returns these facts with those of `other` that are not known here."""
        missing = {each.name for each in fields(self) if getattr(self, each.name) is None}
        return replace(self, **{name: getattr(other, name) for name in missing})


NO_FACTS = NoticeFacts()


@dataclass(frozen=True)
class StandingProposal:
    """The newest proposal of a provider for an open package."""

    provider_id: ProviderId
    proposal_id: ProposalId
    facts: NoticeFacts


@dataclass(frozen=True)
class Notice:
    """`due_at` is by when the provider has to be told; `settled_at` is when it was, or when the notice lapsed.

    A notice about a package has its id, one about a list the list's.
    """

    notice_id: NoticeId
    council: CouncilKey
    package_id: PackageId | None
    list_id: ListId | None
    kind: NoticeKind
    about: UUID
    provider_id: ProviderId
    facts: NoticeFacts
    channel: Channel
    state: NoticeState
    created_at: datetime
    due_at: datetime
    mail_id: UUID | None = None
    """The id of its mail's delivery, which the mail's Message-ID carries."""
    because: CallReason | None = None
    settled_at: datetime | None = None
    calls: int = 0

    @property
    def is_offer(self) -> bool:
        """Offers have events of their own, and sourcing decides about their channels."""
        return self.kind is NoticeKind.OFFER_MADE

    @property
    def is_open(self) -> bool:
        return self.settled_at is None

    def with_facts(self, facts: NoticeFacts) -> "Notice":
        return replace(self, facts=facts)

    def mark_notified(self, channel: Channel, at: datetime) -> "Notice":
        return replace(self, state=NoticeState.NOTIFIED, channel=channel, settled_at=at)

    def mark_lapsed(self, at: datetime) -> "Notice":
        return replace(self, state=NoticeState.LAPSED, settled_at=at)

    def put_on_call_list(self, because: CallReason) -> "Notice":
        return replace(self, state=NoticeState.TO_CALL, channel=Channel.PHONE, because=because, settled_at=None)

    def send_by_mail(self, mail_id: UUID) -> "Notice":
        return replace(self, state=NoticeState.SENDING, channel=Channel.EMAIL, mail_id=mail_id, settled_at=None)
