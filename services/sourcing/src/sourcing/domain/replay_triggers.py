"""Finds the trigger of a recorded decision: from the event that caused it, its timer, or what its command recorded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from contracts.events.base import PackageEvent
from contracts.events.competitions import CompetitionExtended
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardRefused,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
)
from contracts.events.lists import InterestNotUsed, InterestRegistered, InterestWithdrawn
from contracts.events.offers import (
    AcceptanceReceived,
    CallRecorded,
    LateAnswerRefused,
    OfferAccepted,
    OfferAnswer,
    OfferDeclined,
    OfferExpired,
    OfferExtended,
    OfferRedirected,
)
from contracts.events.searches import DefinitionVersionChanged
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reasons
from contracts.ids import OfferId, ReasonKey
from sourcing.domain.competitions.replay import find_competition_command, find_competition_due
from sourcing.domain.decisions import DECISIONS
from sourcing.domain.offer import Accept, Decline, ProviderAnswer
from sourcing.domain.recorded_acts import find_officer_command
from sourcing.domain.search import Search
from sourcing.domain.steps import TimerKind
from sourcing.domain.triggers import (
    AnswerOffer,
    AwardProposal,
    ChangeVersion,
    OutageOver,
    RecordCall,
    RegisterInterest,
    SubmitProposal,
    TimerTrigger,
    Trigger,
    build_timer_trigger,
)


@dataclass(frozen=True)
class RecordedEvent:
    """One event of the package's record with what its envelope says."""

    event: PackageEvent
    event_id: UUID
    cause: str
    at: datetime
    is_sourcing: bool


@dataclass(frozen=True)
class RecordedDecision:
    """The events that sourcing published in one step."""

    cause: str
    at: datetime
    events: tuple[PackageEvent, ...]


class NoTrigger(ValueError):
    """The record does not show what the decision was about."""


def find_trigger(
    decision: RecordedDecision,
    causes: Mapping[str, PackageEvent],
    *,
    search: Search | None,
    definition: FrameworkDefinition | None,
    runtime_timers: Mapping[str, TimerTrigger],
) -> Trigger:
    """Return the trigger. Raises NoTrigger, and ValueError for a timer of an unknown kind.

    `causes` are the package's events by id, `search` the search before the decision, `runtime_timers` the timers that
    are not sourcing's own, by kind.
    """
    cause = causes.get(decision.cause)
    if cause is not None and type(cause) in DECISIONS:
        return cause  # pyright: ignore[reportReturnType]  DECISIONS has triggers only
    source, _, rest = decision.cause.partition(":")
    if source == "timer":
        return _find_timer_trigger(decision, rest.partition(":")[0], runtime_timers)
    if source == "command":
        return _CommandFinder(decision.events, search, definition).find()
    raise NoTrigger(f"nothing in the record has the id {decision.cause}")


def _find_timer_trigger(
    decision: RecordedDecision, kind: str, runtime_timers: Mapping[str, TimerTrigger]
) -> TimerTrigger:
    """Return the trigger of a timer. Its offer is the one that ended or was redirected, if any was."""
    if kind in runtime_timers:
        return runtime_timers[kind]
    if kind == TimerKind.COMPETITION_CLOSES:
        return find_competition_due(decision.events)
    offers = (each.offer_id for each in decision.events if isinstance(each, OfferExpired | OfferRedirected))
    return build_timer_trigger(TimerKind(kind), str(next(offers, _NO_OFFER)))


_NO_OFFER: Final = OfferId(UUID(int=0))


@dataclass(frozen=True)
class _CommandFinder:
    """Finds the command that recorded these events.

    Its words are in the events, apart from two: the reason of a decline that was not used, and the reason why a
    provider that is rated Inadequate is awarded, where the award was refused. Any other valid one replays it.
    """

    events: Sequence[PackageEvent]
    search: Search | None
    definition: FrameworkDefinition | None

    def find(self) -> Trigger:
        """Return the command. Raises NoTrigger."""
        if all(isinstance(each, OfferExtended | CompetitionExtended) for each in self.events):
            return OutageOver()  # the command itself changed nothing, as an answer that is repeated
        for event in self.events:
            command = (
                find_officer_command(event)
                or find_competition_command(event, self.search, self.definition)
                or self._find_list_command(event)
                or _find_tick(event)
                or self._find_offer_command(event)
            )
            if command is not None:
                return command
        raise NoTrigger("the command is not shown by its events")

    def _find_list_command(self, event: PackageEvent) -> Trigger | None:
        match event:
            case ProposalReceived():
                rate = event.terms.rate
                return SubmitProposal(
                    event.package_id, event.provider_id, rate, event.variations, event.can_start_on, event.entered_by
                )
            case ProposalRefused():
                return SubmitProposal(event.package_id, event.provider_id, event.rate)
            case AwardAwaitsApproval() | ProposalAwarded():
                return AwardProposal(event.package_id, event.proposal_id, event.officer, event.inadequate_reason)
            case AwardRefused():
                reason = next(iter(self._list_inadequate_reasons()), None)
                return AwardProposal(event.package_id, event.proposal_id, event.officer, reason)
            case DefinitionVersionChanged():
                return ChangeVersion(event.package_id, event.to_version, event.officer)
            case _:
                return None

    def _find_offer_command(self, event: PackageEvent) -> Trigger | None:
        answer = self._find_answer()
        if isinstance(event, CallRecorded):
            return RecordCall(event.package_id, event.offer_id, event.result, answer)
        if answer is None or not isinstance(
            event, OfferAccepted | AcceptanceReceived | OfferDeclined | LateAnswerRefused
        ):
            return None
        return AnswerOffer(event.package_id, event.offer_id, event.provider_id, answer)

    def _find_answer(self) -> ProviderAnswer | None:
        for event in self.events:
            match event:
                case OfferAccepted() | AcceptanceReceived():
                    return Accept()
                case OfferDeclined():
                    return Decline(event.reason, event.note_id)
                case LateAnswerRefused():
                    return Accept() if event.answer is OfferAnswer.ACCEPT else self._find_late_decline(event.offer_id)
                case _:
                    continue
        return None

    def _find_late_decline(self, offer_id: OfferId) -> Decline | None:
        """Return a decline for another reason than the offer's first answer, which would be a repeat of it."""
        offer = None if self.search is None else self.search.find_offer(offer_id)
        declines = (Decline(reason) for reason in self._list_decline_reasons())
        return next((each for each in declines if offer is None or each != offer.answer), None)

    def _list_decline_reasons(self) -> Iterable[ReasonKey]:
        return () if self.definition is None else Reasons.list_keys(self.definition.reasons.decline)

    def _list_inadequate_reasons(self) -> Iterable[ReasonKey]:
        return () if self.definition is None else Reasons.list_keys(self.definition.reasons.inadequate_award)


def _find_tick(event: PackageEvent) -> RegisterInterest | None:
    if not isinstance(event, InterestRegistered | InterestNotUsed | InterestWithdrawn):
        return None
    interested = not isinstance(event, InterestWithdrawn)
    return RegisterInterest(event.package_id, event.list_id, event.provider_id, interested=interested)
