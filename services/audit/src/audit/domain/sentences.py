"""What each event of a package says, in a sentence that an officer can read out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from audit.domain.names import Cast, by, day, instant, listed, pounds, priced, rate, stage_words
from contracts.events.base import Event
from contracts.events.listings import (
    AwardAwaitsApproval,
    AwardLapsed,
    AwardRefused,
    PackageListed,
    ProposalAwarded,
    ProposalReceived,
    ProposalRefused,
    StillListed,
)
from contracts.events.operations import KeyParked
from contracts.events.orders import (
    LateDecisionRefused,
    PurchaseOrderCancelled,
    PurchaseOrderIssued,
    SpotPriceApproved,
    SpotPriceRefused,
)
from contracts.events.packages import (
    CallRecorded,
    LateAnswerRefused,
    OfferAccepted,
    OfferClockStarted,
    OfferDeclined,
    OfferDelivered,
    OfferExpired,
    OfferExtended,
    OfferMade,
    OfferRedirected,
    OfferUndeliverable,
    OfferWithdrawn,
    PackagePlaced,
    PackageRequested,
    PackageWithdrawn,
    PersonDisclosed,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
    WithdrawalRequested,
)
from contracts.values import AnswerBy

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Telling(Generic[EventT]):
    """An event, and how it is told."""

    event: type[EventT]
    sentence: Callable[[EventT, Cast], str]

    def says(self, event: Event, cast: Cast) -> str | None:
        return self.sentence(event, cast) if isinstance(event, self.event) else None


def tell(event: Event, cast: Cast) -> str:
    """The sentence of `event`; one that has none is named."""
    said = (telling.says(event, cast) for telling in TELLINGS if telling.event is type(event))
    return next((each for each in said if each is not None), f"{type(event).__name__} happened")


def _requested(event: PackageRequested, cast: Cast) -> str:
    care, wishes = event.care, event.wishes
    told = (
        f"A package was requested: {care.weekly_hours} hours a week of {care.service_type.value} in "
        f"{care.outward_code} (area {care.area}), {care.urgency.value}, from {day(care.starts_on)}"
    )
    if wishes.refused:
        told += f"; the person refuses {cast.all_names(wishes.refused)}"
    if wishes.preferred:
        told += f"; the person prefers {cast.all_names(wishes.preferred)}"
    return told


def _stage_entered(event: StageEntered, cast: Cast) -> str:
    ranked = sorted(event.candidates, key=lambda each: each.rank)
    order = ", ".join(f"{each.rank} {cast.name(each.provider_id)}" for each in ranked) or "nobody"
    return f"The stage {stage_words(event.stage)} began with version {event.list_version} of its ranked list: {order}"


def _passed_over(event: ProviderPassedOver, cast: Cast) -> str:
    who = f"{cast.name(event.provider_id)} (rank {event.rank} of {stage_words(event.stage)})"
    return f"{who} was passed over: {listed(each.value for each in event.reasons)}"


def _offer_made(event: OfferMade, cast: Cast) -> str:
    who = f"{cast.name(event.provider_id)} (rank {event.rank} of {stage_words(event.stage)})"
    return (
        f"{who} was offered the package by {by(event.channel)}: {event.weekly_hours} hours a week at "
        f"{priced(event.terms)}; {_to_answer(event.answer_by)}"
    )


def _to_answer(answer_by: AnswerBy) -> str:
    kind = " of brokerage time" if answer_by.brokerage_time else ""
    if answer_by.instant is not None:
        return f"to be answered before {instant(answer_by.instant)}"
    return f"{answer_by.minutes} minutes{kind} to answer, from the delivery"


def _redirected(event: OfferRedirected, cast: Cast) -> str:
    return (
        f"The offer to {cast.name(event.provider_id)} went by {by(event.to_channel)} instead of "
        f"{by(event.from_channel)}; {_to_answer(event.answer_by)}"
    )


def _clock_started(event: OfferClockStarted, cast: Cast) -> str:
    return (
        f"The offer counts as delivered to {cast.name(event.provider_id)} since {instant(event.delivered_at)}, "
        f"and can be answered until {instant(event.answer_by)}"
    )


def _extended(event: OfferExtended, cast: Cast) -> str:
    return (
        f"{cast.name(event.provider_id)} got more time, until {instant(event.answer_by)}: Call-off was down from "
        f"{instant(event.down_from)} to {instant(event.up_at)}"
    )


def _late(event: LateAnswerRefused, cast: Cast) -> str:
    reasons = f" ({listed(each.value for each in event.passed_over)})" if event.passed_over else ""
    return (
        f"{cast.name(event.provider_id)} answered {event.answer.value}, which was not used: "
        f"{event.reason.value}{reasons}"
    )


def _listed(event: PackageListed, _: Cast) -> str:
    whom = "all providers of the area, spot providers too" if event.spot else "all providers of the area"
    return f"The package was opened to {whom}; one officer may award up to {rate(event.ceiling, event.unit.value)}"


def _still_listed(event: StillListed, _: Cast) -> str:
    return (
        f"Nobody had taken the package since it was opened to all on {instant(event.listed_at)}; an officer has to look"
    )


def _proposed(event: ProposalReceived, cast: Cast) -> str:
    told = f"{cast.name(event.provider_id)} (rated {event.rating.value}) proposed {priced(event.terms)}"
    if event.variations:
        told += f", {listed(each.value for each in event.variations)}"
    if event.can_start_on is not None:
        told += f", from {day(event.can_start_on)}"
    return f"{told}; it replaces its earlier proposal" if event.replaces is not None else told


def _proposal_refused(event: ProposalRefused, cast: Cast) -> str:
    reasons = listed(each.value for each in event.reasons)
    return f"A proposal of {cast.name(event.provider_id)} at {pounds(event.rate)} was refused: {reasons}"


def _awaits_approval(event: AwardAwaitsApproval, cast: Cast) -> str:
    told = (
        f"{cast.actor(event.officer)} awarded the package to {cast.name(event.provider_id)} at {priced(event.terms)}, "
        f"above the ceiling of {pounds(event.ceiling)}; a second officer decides about the price"
    )
    return f"{told} (rated Inadequate: {event.inadequate_reason.value})" if event.inadequate_reason else told


def _award_refused(event: AwardRefused, cast: Cast) -> str:
    reasons = listed(each.value for each in event.reasons)
    return f"The award to {cast.name(event.provider_id)} by {cast.actor(event.officer)} was not carried out: {reasons}"


def _awarded(event: ProposalAwarded, cast: Cast) -> str:
    officers = listed(cast.actor(each) for each in (event.officer, event.second_officer) if each is not None)
    terms = cast.proposals.get(event.proposal_id)
    told = f"{officers} awarded the package to {cast.name(event.provider_id)} (rated {event.rating.value})"
    told += "" if terms is None else f" at {priced(terms)}"
    return f"{told}, although Inadequate: {event.inadequate_reason.value}" if event.inadequate_reason else told


def _placed(event: PackagePlaced, cast: Cast) -> str:
    return (
        f"The package was placed with {cast.ranked(event.provider_id, event.stage)}: {event.weekly_hours} hours a week "
        f"of {event.service_type.value} at {priced(event.terms)}, from {day(event.starts_on)}"
    )


def _voided(event: PlacementVoided, cast: Cast) -> str:
    return (
        f"The placement with {cast.name(event.provider_id)} was undone before care started: {event.reason.value}; "
        f"{event.weekly_hours} hours a week are free again"
    )


def _exhausted(event: SourcingExhausted, _: Cast) -> str:
    last = stage_words(event.last_stage)
    return f"Nobody took the package, and after {last} there is {event.reason.value}; an officer has to act"


def _delivered(event: OfferDelivered, cast: Cast) -> str:
    who, at = cast.name(event.provider_id), instant(event.delivered_at)
    return f"The offer reached {who} by {by(event.channel)} at {at}"


def _undeliverable(event: OfferUndeliverable, cast: Cast) -> str:
    who, channel = cast.name(event.provider_id), by(event.channel)
    since = "" if event.first_attempt_at is None else f", tried since {instant(event.first_attempt_at)}"
    return f"The offer could not be delivered to {who} by {channel}: {event.reason}{since}"


def _price_refused(event: SpotPriceRefused, cast: Cast) -> str:
    officer, whose = cast.actor(event.officer), cast.name(event.provider_id)
    return f"{officer} did not agree to the price of {whose}: {event.reason.value}"


def _decided_too_late(event: LateDecisionRefused, cast: Cast) -> str:
    officer, whose = cast.actor(event.officer), cast.name(event.provider_id)
    decision = "agreed to" if event.refusal is None else "refused"
    why = "" if event.refusal is None else f" ({event.refusal.value})"
    return f"{officer} {decision} the price of {whose}{why}, which was not used: {event.reason.value}"


def _ordered(event: PurchaseOrderIssued, cast: Cast) -> str:
    lines = listed(
        f"{line.quantity_per_week} × {rate(line.rate, line.unit.value)} of {line.service_type.value}"
        for line in event.lines
    )
    return (
        f"Purchase order {event.reference} was issued to {cast.name(event.provider_id)}: {lines}, "
        f"{pounds(event.weekly_cost)} a week from {day(event.starts_on)}, by {event.price_list}"
    )


TELLINGS: Final = (
    Telling(PackageRequested, _requested),
    Telling(WithdrawalRequested, lambda event, _: f"The council asked for the package back: {event.reason.value}"),
    Telling(PackageWithdrawn, lambda event, _: f"The package was withdrawn: {event.reason.value}"),
    Telling(PersonDisclosed, lambda event, cast: f"{cast.name(event.provider_id)} was shown who the person is"),
    Telling(
        SourcingStarted,
        lambda event, _: (
            f"The search began, by version {event.definition_version} of {event.framework}, in area {event.area}"
        ),
    ),
    Telling(SourcingHeld, lambda event, _: f"The search stood still until this is known: {listed(event.missing)}"),
    Telling(StageEntered, _stage_entered),
    Telling(ProviderPassedOver, _passed_over),
    Telling(OfferMade, _offer_made),
    Telling(OfferRedirected, _redirected),
    Telling(
        CallRecorded,
        lambda event, cast: (
            f"An officer telephoned {cast.name(event.provider_id)}, call {event.attempt}: {event.result.value}"
        ),
    ),
    Telling(OfferClockStarted, _clock_started),
    Telling(OfferExtended, _extended),
    Telling(OfferAccepted, lambda event, cast: f"{cast.name(event.provider_id)} accepted"),
    Telling(OfferDeclined, lambda event, cast: f"{cast.name(event.provider_id)} declined: {event.reason.value}"),
    Telling(OfferExpired, lambda event, cast: f"The offer to {cast.name(event.provider_id)} expired without an answer"),
    Telling(
        OfferWithdrawn,
        lambda event, cast: f"The offer to {cast.name(event.provider_id)} was withdrawn: {event.reason.value}",
    ),
    Telling(LateAnswerRefused, _late),
    Telling(PackageListed, _listed),
    Telling(StillListed, _still_listed),
    Telling(ProposalReceived, _proposed),
    Telling(ProposalRefused, _proposal_refused),
    Telling(AwardAwaitsApproval, _awaits_approval),
    Telling(AwardRefused, _award_refused),
    Telling(
        AwardLapsed,
        lambda event, cast: (
            f"The award to {cast.name(event.provider_id)} waits for a second officer no more: {event.reason.value}"
        ),
    ),
    Telling(ProposalAwarded, _awarded),
    Telling(PackagePlaced, _placed),
    Telling(PlacementVoided, _voided),
    Telling(SourcingExhausted, _exhausted),
    Telling(SourcingStopped, lambda event, _: f"The search ended: {event.reason.value}"),
    Telling(OfferDelivered, _delivered),
    Telling(OfferUndeliverable, _undeliverable),
    Telling(
        SpotPriceApproved,
        lambda event, cast: (
            f"{cast.actor(event.officer)} agreed to {pounds(event.rate)} for {cast.name(event.provider_id)}"
        ),
    ),
    Telling(SpotPriceRefused, _price_refused),
    Telling(LateDecisionRefused, _decided_too_late),
    Telling(PurchaseOrderIssued, _ordered),
    Telling(
        PurchaseOrderCancelled,
        lambda event, cast: (
            f"Purchase order {event.reference} to {cast.name(event.provider_id)} was cancelled: {event.reason.value}"
        ),
    ),
    Telling(
        KeyParked, lambda event, _: f"{event.service} set the package aside until an operator looks: {event.because}"
    ),
)
"""Every event that can be in a package's story; an event without its line here would be told by its name alone."""
