"""Finds the command of an officer that recorded an event, for the replay of its decision."""

from contracts.events.base import PackageEvent
from contracts.events.listings import AwardLapsed, ProposalReceived
from contracts.events.officer_acts import (
    ActEnd,
    CounterOfferDeclined,
    CounterOfferMade,
    OfferDirected,
    OfficerActApproved,
    OfficerActEnded,
    OfficerAssigned,
    PackageResourced,
    PlacedByHand,
    PlacementByHandProposed,
    ProviderSkipped,
    SearchPaused,
    SearchResumed,
    SuspensionOverridden,
)
from sourcing.domain.officers.commands import (
    AnswerCounterOffer,
    ApproveAct,
    AssignOfficer,
    DirectOffer,
    MakeCounterOffer,
    OfficerCommand,
    OverrideSuspension,
    PauseSearch,
    PlaceByHand,
    RefuseAct,
    ResourcePackage,
    ResumeSearch,
    SkipProvider,
    TakeUpTick,
    WithdrawAward,
)


def find_officer_command(event: PackageEvent) -> OfficerCommand | None:
    """Return the command whose words the event has; None for an event that no command of an officer records."""
    match event:
        case SearchPaused():
            return PauseSearch(event.package_id, event.officer, event.reason, event.note_id)
        case SearchResumed():
            return ResumeSearch(event.package_id, event.officer, event.reason, event.note_id)
        case ProviderSkipped():
            return SkipProvider(event.package_id, event.officer, event.reason, event.provider_id, event.note_id)
        case SuspensionOverridden():
            return OverrideSuspension(event.package_id, event.officer, event.reason, event.note_id)
        case _:
            return (
                _find_command_about_package(event)
                or _find_command_about_offer(event)
                or _find_command_about_placement(event)
                or _find_command_about_proposal(event)
            )


def _find_command_about_package(event: PackageEvent) -> OfficerCommand | None:
    match event:
        case PackageResourced():
            return ResourcePackage(event.package_id, event.officer, event.reason, event.from_stage, event.note_id)
        case OfficerAssigned():
            return AssignOfficer(event.package_id, event.assigned_to, event.officer)
        case _:
            return None


def _find_command_about_offer(event: PackageEvent) -> OfficerCommand | None:
    match event:
        case OfferDirected(second_officer_needed=False):
            return TakeUpTick(event.package_id, event.provider_id, event.officer, event.reason, event.note_id)
        case OfferDirected():
            return DirectOffer(
                event.package_id,
                event.provider_id,
                event.officer,
                event.reason,
                lot=event.lot,
                tier=event.tier,
                area=event.area,
                note_id=event.note_id,
            )
        case OfficerActApproved():
            return ApproveAct(event.package_id, event.act_id, event.officer)
        case OfficerActEnded(officer=str(officer)):
            is_refused = event.reason in {ActEnd.REFUSED, ActEnd.WITHDRAWN}
            return (RefuseAct if is_refused else ApproveAct)(event.package_id, event.act_id, officer)
        case _:
            return None


def _find_command_about_placement(event: PackageEvent) -> OfficerCommand | None:
    match event:
        case PlacementByHandProposed() | PlacedByHand(second_officer=None):
            return PlaceByHand(
                event.package_id,
                event.provider_id,
                event.terms.rate,
                event.officer,
                event.reason,
                event.inadequate_reason,
                event.note_id,
            )
        case PlacedByHand(second_officer=str(second_officer)):
            return ApproveAct(event.package_id, event.act_id, second_officer)
        case _:
            return None


def _find_command_about_proposal(event: PackageEvent) -> OfficerCommand | None:
    match event:
        case AwardLapsed(officer=str(officer), officer_reason=str(reason)):
            return WithdrawAward(event.package_id, event.award_id, officer, reason, event.note_id)
        case CounterOfferMade():
            return MakeCounterOffer(
                event.package_id,
                event.proposal_id,
                event.terms.rate,
                event.valid_until,
                event.officer,
                event.reason,
                event.note_id,
            )
        case CounterOfferDeclined():
            return AnswerCounterOffer(
                event.package_id, event.counter_offer_id, event.provider_id, accepts=False, entered_by=event.entered_by
            )
        case ProposalReceived() if event.counter_offer_id is not None:
            return AnswerCounterOffer(
                event.package_id, event.counter_offer_id, event.provider_id, accepts=True, entered_by=event.entered_by
            )
        case _:
            return None
