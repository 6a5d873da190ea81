"""The sentence of each event of a package, written for an officer or auditor."""

from typing import Final

from audit.domain.listing_sentences import LISTING_NARRATIONS
from audit.domain.names import (
    Names,
    format_channel,
    format_day,
    format_instant,
    format_stage,
    format_terms,
    join_phrases,
)
from audit.domain.narration import Narration
from contracts.events.base import Event
from contracts.events.operations import KeyParked
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
from contracts.events.reasons import ExtensionCause
from contracts.values import AnswerBy


def narrate(event: Event, names: Names) -> str:
    """Returns the sentence of `event`, or its class name where no sentence is defined."""
    sentences = (narration.narrate(event, names) for narration in NARRATIONS if narration.event is type(event))
    return next((sentence for sentence in sentences if sentence is not None), f"{type(event).__name__} happened")


def _narrate_package_requested(event: PackageRequested, names: Names) -> str:
    care, wishes = event.care, event.wishes
    sentence = (
        f"A package was requested: {care.weekly_hours} hours a week of {care.service_type.value} in "
        f"{care.outward_code} (area {care.area}), {care.urgency.value}, from {format_day(care.starts_on)}"
    )
    if wishes.refused:
        sentence += f"; the person refuses {names.name_providers(wishes.refused)}"
    if wishes.preferred:
        sentence += f"; the person prefers {names.name_providers(wishes.preferred)}"
    return sentence


def _narrate_stage_entered(event: StageEntered, names: Names) -> str:
    ranked = sorted(event.candidates, key=lambda each: each.rank)
    order = ", ".join(f"{each.rank} {names.find_name(each.provider_id)}" for each in ranked) or "no provider"
    return f"The stage {format_stage(event.stage)} began with version {event.list_version} of its ranked list: {order}"


def _narrate_provider_passed_over(event: ProviderPassedOver, names: Names) -> str:
    who = f"{names.find_name(event.provider_id)} (rank {event.rank} of {format_stage(event.stage)})"
    return f"{who} was passed over: {join_phrases(each.value for each in event.reasons)}"


def _narrate_offer_made(event: OfferMade, names: Names) -> str:
    who = f"{names.find_name(event.provider_id)} (rank {event.rank} of {format_stage(event.stage)})"
    return (
        f"{who} was offered the package by {format_channel(event.channel)}: {event.weekly_hours} hours a week at "
        f"{format_terms(event.terms)}; {_format_answer_time(event.answer_by)}"
    )


def _format_answer_time(answer_by: AnswerBy) -> str:
    kind = " of brokerage time" if answer_by.brokerage_time else ""
    if answer_by.instant is not None:
        return f"to be answered before {format_instant(answer_by.instant)}"
    return f"{answer_by.minutes} minutes{kind} to answer, from the delivery"


def _narrate_offer_redirected(event: OfferRedirected, names: Names) -> str:
    return (
        f"The offer to {names.find_name(event.provider_id)} went by {format_channel(event.to_channel)} instead of "
        f"{format_channel(event.from_channel)}; {_format_answer_time(event.answer_by)}"
    )


def _narrate_offer_clock_started(event: OfferClockStarted, names: Names) -> str:
    return (
        f"The offer counts as delivered to {names.find_name(event.provider_id)} "
        f"since {format_instant(event.delivered_at)}, and can be answered until {format_instant(event.answer_by)}"
    )


def _narrate_offer_extended(event: OfferExtended, names: Names) -> str:
    more_time = f"{names.find_name(event.provider_id)} got more time, until {format_instant(event.answer_by)}: "
    if event.cause is ExtensionCause.PROCLAIMED_HOLIDAY:
        return f"{more_time}a bank holiday was proclaimed, and brokerage opens on {format_instant(event.up_at)}"
    return f"{more_time}Call-off was down from {format_instant(event.down_from)} to {format_instant(event.up_at)}"


def _narrate_late_answer_refused(event: LateAnswerRefused, names: Names) -> str:
    reasons = f" ({join_phrases(each.value for each in event.passed_over)})" if event.passed_over else ""
    return (
        f"{names.find_name(event.provider_id)} answered {event.answer.value}, which was not used: "
        f"{event.reason.value}{reasons}"
    )


def _narrate_package_placed(event: PackagePlaced, names: Names) -> str:
    return (
        f"The package was placed with {names.name_with_rank(event.provider_id, event.stage)}: "
        f"{event.weekly_hours} hours a week of {event.service_type.value} "
        f"at {format_terms(event.terms)}, from {format_day(event.starts_on)}"
    )


def _narrate_placement_voided(event: PlacementVoided, names: Names) -> str:
    return (
        f"The placement with {names.find_name(event.provider_id)} was undone before care started: "
        f"{event.reason.value}; {event.weekly_hours} hours a week are free again"
    )


def _narrate_sourcing_exhausted(event: SourcingExhausted, _: Names) -> str:
    last = format_stage(event.last_stage)
    return f"Nobody took the package, and after {last} there is {event.reason.value}; an officer has to act"


def _narrate_offer_delivered(event: OfferDelivered, names: Names) -> str:
    who, at = names.find_name(event.provider_id), format_instant(event.delivered_at)
    return f"The offer reached {who} by {format_channel(event.channel)} at {at}"


def _narrate_offer_undeliverable(event: OfferUndeliverable, names: Names) -> str:
    who, channel = names.find_name(event.provider_id), format_channel(event.channel)
    since = "" if event.first_attempt_at is None else f", tried since {format_instant(event.first_attempt_at)}"
    return f"The offer could not be delivered to {who} by {channel}: {event.reason}{since}"


NARRATIONS: Final = (
    Narration(PackageRequested, _narrate_package_requested),
    Narration(WithdrawalRequested, lambda event, _: f"The council asked for the package back: {event.reason.value}"),
    Narration(PackageWithdrawn, lambda event, _: f"The package was withdrawn: {event.reason.value}"),
    Narration(
        PersonDisclosed, lambda event, names: f"{names.find_name(event.provider_id)} was shown who the person is"
    ),
    Narration(
        SourcingStarted,
        lambda event, _: (
            f"The search began, by version {event.definition_version} of {event.framework}, in area {event.area}"
        ),
    ),
    Narration(SourcingHeld, lambda event, _: f"The search is held until this is known: {join_phrases(event.missing)}"),
    Narration(StageEntered, _narrate_stage_entered),
    Narration(ProviderPassedOver, _narrate_provider_passed_over),
    Narration(OfferMade, _narrate_offer_made),
    Narration(OfferRedirected, _narrate_offer_redirected),
    Narration(
        CallRecorded,
        lambda event, names: (
            f"An officer telephoned {names.find_name(event.provider_id)}, call {event.attempt}: {event.result.value}"
        ),
    ),
    Narration(OfferClockStarted, _narrate_offer_clock_started),
    Narration(OfferExtended, _narrate_offer_extended),
    Narration(OfferAccepted, lambda event, names: f"{names.find_name(event.provider_id)} accepted"),
    Narration(
        OfferDeclined, lambda event, names: f"{names.find_name(event.provider_id)} declined: {event.reason.value}"
    ),
    Narration(
        OfferExpired,
        lambda event, names: f"The offer to {names.find_name(event.provider_id)} expired without an answer",
    ),
    Narration(
        OfferWithdrawn,
        lambda event, names: f"The offer to {names.find_name(event.provider_id)} was withdrawn: {event.reason.value}",
    ),
    Narration(LateAnswerRefused, _narrate_late_answer_refused),
    Narration(PackagePlaced, _narrate_package_placed),
    Narration(PlacementVoided, _narrate_placement_voided),
    Narration(SourcingExhausted, _narrate_sourcing_exhausted),
    Narration(SourcingStopped, lambda event, _: f"The search ended: {event.reason.value}"),
    Narration(OfferDelivered, _narrate_offer_delivered),
    Narration(OfferUndeliverable, _narrate_offer_undeliverable),
    Narration(
        KeyParked, lambda event, _: f"{event.service} parked the package until an operator releases it: {event.because}"
    ),
    *LISTING_NARRATIONS,
)
"""The sentence of every event that can be in a package's story."""
