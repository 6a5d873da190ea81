"""The one table of what providers are told: of which events, who, how soon, and what their systems receive.

What people read or hear of a notice is worded in `notice_words` from its facts.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from contracts.events.base import Event
from contracts.events.listings import PackageListed, ProposalReceived
from contracts.events.lists import AvailablePackagesIssued, BatchingListIssued, ListIssued, ListKind
from contracts.events.notices import NoticeKind
from contracts.events.offers import OfferExpired, OfferExtended, OfferMade, OfferWithdrawn
from contracts.events.officer_acts import CounterOfferMade
from contracts.events.searches import PackagePlaced, PlacementVoided
from contracts.ids import ProviderId
from provider_registry.domain import messages
from provider_registry.domain.messages import BaseUrls, MessageData
from provider_registry.domain.notice import ListFacts, NoticeFacts, StandingProposal
from provider_registry.domain.offer_summary import OfferSummary

EventT = TypeVar("EventT", bound=Event)


class Recipients(Enum):
    """Who has to be told."""

    ITS_PROVIDER = "the provider that the event names"
    PROVIDER_WITH_THE_OFFER = "the provider that the event names, if the offer has reached it"
    OTHER_PROPOSERS = "the other providers whose proposals stood"
    ALL_WHO_MAY_PROPOSE = "all providers that may propose"
    ALL_OF_THE_LIST = "each recipient of the list, of its rows"


@dataclass(frozen=True)
class Urgency:
    """How soon a provider is told: a call is due `notify_within` of the event; a channel is tried for `try_for`."""

    notify_within: timedelta
    try_for: timedelta


AT_ONCE: Final = Urgency(notify_within=timedelta(minutes=30), try_for=timedelta(minutes=15))
SOON: Final = Urgency(notify_within=timedelta(hours=1), try_for=timedelta(minutes=30))
SAME_DAY: Final = Urgency(notify_within=timedelta(hours=4), try_for=timedelta(hours=2))
NEXT_DAY: Final = Urgency(notify_within=timedelta(hours=24), try_for=timedelta(hours=12))


@dataclass(frozen=True)
class Announcement:
    """What one provider has to be told; `data` is what its system receives."""

    provider_id: ProviderId
    kind: NoticeKind
    about: UUID
    facts: NoticeFacts
    data: MessageData


@dataclass(frozen=True)
class NoticeRule(Generic[EventT]):
    """One line of the table. `makes_pointless` are notices of the same package that nobody needs after the event."""

    event: type[EventT]
    kind: NoticeKind
    recipients: Recipients
    urgency: Urgency
    about: Callable[[EventT], UUID]
    facts: Callable[[EventT], NoticeFacts]
    webhook: Callable[[EventT, BaseUrls], MessageData]
    makes_pointless: tuple[NoticeKind, ...] = ()

    def announce(self, event: EventT, provider_id: ProviderId, addresses: BaseUrls) -> Announcement:
        data = self.webhook(event, addresses)
        return Announcement(provider_id, self.kind, self.about(event), self.facts(event), data)


def _state_offer(event: OfferMade) -> NoticeFacts:
    care = event.care
    return NoticeFacts(
        framework=care.framework,
        area=care.area,
        answer_within=event.answer_by,
        offer=OfferSummary(care, event.weekly_hours, event.terms),
    )


def _state_placement(event: PackagePlaced) -> NoticeFacts:
    return NoticeFacts(
        framework=event.framework,
        area=event.area,
        service_type=event.service_type,
        weekly_hours=event.weekly_hours,
        starts_on=event.starts_on,
    )


def _state_package(event: PackageListed) -> NoticeFacts:
    return NoticeFacts(framework=event.framework, area=event.advert.area, advert=event.advert, unit=event.unit)


def _state_counter_offer(event: CounterOfferMade) -> NoticeFacts:
    return NoticeFacts(rate=event.terms.rate, unit=event.terms.lines[0].unit, answer_by=event.valid_until)


_OFFER_NOTICES: Final = (NoticeKind.OFFER_MADE, NoticeKind.OFFER_EXTENDED)

OFFER_MADE: Final = NoticeRule(
    OfferMade,
    NoticeKind.OFFER_MADE,
    Recipients.ITS_PROVIDER,
    AT_ONCE,
    about=lambda event: event.offer_id,
    facts=_state_offer,
    webhook=lambda event, addresses: messages.build_offer_made(event, addresses).data,
)
"""Sourcing decides by which channels an offer goes; the registry adds the call list."""
OFFER_EXTENDED: Final = NoticeRule(
    OfferExtended,
    NoticeKind.OFFER_EXTENDED,
    Recipients.PROVIDER_WITH_THE_OFFER,
    AT_ONCE,
    about=lambda event: event.offer_id,
    facts=lambda event: NoticeFacts(answer_by=event.answer_by),
    webhook=lambda event, addresses: messages.build_offer_extended(event, addresses).data,
    makes_pointless=(NoticeKind.OFFER_EXTENDED,),
)
OFFER_WITHDRAWN: Final = NoticeRule(
    OfferWithdrawn,
    NoticeKind.OFFER_WITHDRAWN,
    Recipients.PROVIDER_WITH_THE_OFFER,
    AT_ONCE,
    about=lambda event: event.offer_id,
    facts=lambda event: NoticeFacts(reason=event.reason.value),
    webhook=lambda event, _: messages.build_offer_withdrawn(event).data,
    makes_pointless=_OFFER_NOTICES,
)
OFFER_EXPIRED: Final = NoticeRule(
    OfferExpired,
    NoticeKind.OFFER_EXPIRED,
    Recipients.PROVIDER_WITH_THE_OFFER,
    NEXT_DAY,
    about=lambda event: event.offer_id,
    facts=lambda _: NoticeFacts(),
    webhook=lambda event, _: messages.build_offer_expired(event).data,
    makes_pointless=_OFFER_NOTICES,
)
PACKAGE_PLACED: Final = NoticeRule(
    PackagePlaced,
    NoticeKind.PACKAGE_PLACED,
    Recipients.ITS_PROVIDER,
    AT_ONCE,
    about=lambda event: event.placement_id,
    facts=_state_placement,
    webhook=lambda event, addresses: messages.build_package_placed(event, addresses).data,
    makes_pointless=(*_OFFER_NOTICES, NoticeKind.PACKAGE_AVAILABLE, NoticeKind.COUNTER_OFFER_MADE),
)
PROPOSAL_NOT_CHOSEN: Final = NoticeRule(
    ProposalReceived,
    NoticeKind.PROPOSAL_NOT_CHOSEN,
    Recipients.OTHER_PROPOSERS,
    SAME_DAY,
    about=lambda event: event.proposal_id,
    facts=lambda event: NoticeFacts(
        framework=event.care.framework,
        area=event.care.area,
        outward_code=event.care.outward_code,
        service_type=event.care.service_type,
        weekly_hours=event.care.weekly_hours,
    ),
    webhook=lambda event, _: {"proposal_id": str(event.proposal_id)},
)
"""What is told of a proposal when its package is placed with another provider, or withdrawn."""
COUNTER_OFFER_MADE: Final = NoticeRule(
    CounterOfferMade,
    NoticeKind.COUNTER_OFFER_MADE,
    Recipients.ITS_PROVIDER,
    SAME_DAY,
    about=lambda event: event.counter_offer_id,
    facts=_state_counter_offer,
    webhook=lambda event, addresses: messages.build_counter_offer(event, addresses).data,
    makes_pointless=(NoticeKind.COUNTER_OFFER_MADE,),
)
PLACEMENT_VOIDED: Final = NoticeRule(
    PlacementVoided,
    NoticeKind.PLACEMENT_VOIDED,
    Recipients.ITS_PROVIDER,
    AT_ONCE,
    about=lambda event: event.placement_id,
    facts=lambda event: NoticeFacts(weekly_hours=event.weekly_hours, reason=event.reason),
    webhook=lambda event, _: messages.build_placement_voided(event).data,
    makes_pointless=(NoticeKind.PACKAGE_PLACED,),
)
PACKAGE_AVAILABLE: Final = NoticeRule(
    PackageListed,
    NoticeKind.PACKAGE_AVAILABLE,
    Recipients.ALL_WHO_MAY_PROPOSE,
    SAME_DAY,
    about=lambda event: event.advert.reference,
    facts=_state_package,
    webhook=lambda event, addresses: messages.build_package_available(event, addresses).data,
)


def _state_list(event: ListIssued, kind: ListKind, **more: Any) -> NoticeFacts:  # Any: further fields of the list
    rows = len(event.rows)
    return NoticeFacts(
        framework=event.framework,
        issued=ListFacts(kind, event.part, event.day, rows, event.content_hash, **more),
    )


BATCHING_LIST_ISSUED: Final = NoticeRule(
    BatchingListIssued,
    NoticeKind.LIST_ISSUED,
    Recipients.ALL_OF_THE_LIST,
    SOON,
    about=lambda event: event.list_id,
    facts=lambda event: _state_list(event, ListKind.BATCHING_LIST, closes_at=event.closes_at),
    webhook=lambda event, addresses: messages.build_list_issued(event, ListKind.BATCHING_LIST, addresses).data,
)
AVAILABLE_PACKAGES_ISSUED: Final = NoticeRule(
    AvailablePackagesIssued,
    NoticeKind.LIST_ISSUED,
    Recipients.ALL_OF_THE_LIST,
    SOON,
    about=lambda event: event.list_id,
    facts=lambda event: _state_list(
        event, ListKind.AVAILABLE_PACKAGES, moved_from=event.moved_from, next_list_on=event.next_list_on
    ),
    webhook=lambda event, addresses: messages.build_list_issued(event, ListKind.AVAILABLE_PACKAGES, addresses).data,
)

NOTICES: Final[tuple[NoticeRule[Any], ...]] = (  # Any: each rule is of an event of its own
    OFFER_MADE,
    OFFER_EXTENDED,
    OFFER_WITHDRAWN,
    OFFER_EXPIRED,
    PACKAGE_PLACED,
    PROPOSAL_NOT_CHOSEN,
    COUNTER_OFFER_MADE,
    PLACEMENT_VOIDED,
    PACKAGE_AVAILABLE,
    BATCHING_LIST_ISSUED,
    AVAILABLE_PACKAGES_ISSUED,
)


def announce_unchosen(proposal: StandingProposal, reason: str) -> Announcement:
    """Builds what a provider is told of its proposal when it does not stand any more."""
    return Announcement(
        proposal.provider_id,
        NoticeKind.PROPOSAL_NOT_CHOSEN,
        proposal.proposal_id,
        replace(proposal.facts, reason=reason),
        {"proposal_id": str(proposal.proposal_id), "reason": reason},
    )


def find_rule(kind: NoticeKind) -> NoticeRule[Any]:  # Any: as above
    """Returns the rule of a kind of notice; rules of one kind have one urgency."""
    return next(rule for rule in NOTICES if rule.kind is kind)
