"""The sentence of each event of a package, written for an officer or auditor."""

from typing import Final

from audit.domain.competition_sentences import COMPETITION_NARRATIONS
from audit.domain.list_sentences import LIST_NARRATIONS
from audit.domain.listing_sentences import LISTING_NARRATIONS
from audit.domain.names import (
    Names,
    format_channel,
    format_day,
    format_instant,
    format_stage,
    format_terms,
    format_word,
    join_phrases,
)
from audit.domain.narration import Narration
from audit.domain.notice_sentences import NOTICE_NARRATIONS
from audit.domain.officer_sentences import OFFICER_NARRATIONS
from audit.domain.turns import describe_acceptance_order, describe_stage_order, list_candidates
from contracts.events.base import Event
from contracts.events.offers import (
    AcceptanceReceived,
    AcceptancesOrdered,
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
)
from contracts.events.operations import KeyParked
from contracts.events.packages import PackageRequested, PackageWithdrawn, PersonDisclosed, WithdrawalRequested
from contracts.events.reasons import ExtensionCause
from contracts.events.searches import (
    DefinitionVersionChanged,
    PackagePlaced,
    PlacementVoided,
    ProviderPassedOver,
    SourcingExhausted,
    SourcingHeld,
    SourcingStarted,
    SourcingStopped,
    StageEntered,
)
from contracts.values import AnswerBy, Care


def narrate(event: Event, names: Names) -> str:
    """Returns the sentence of `event`, or its class name where no sentence is defined."""
    sentences = (narration.narrate(event, names) for narration in NARRATIONS if narration.event is type(event))
    return next((sentence for sentence in sentences if sentence is not None), f"{type(event).__name__} happened")


def _narrate_package_requested(event: PackageRequested, names: Names) -> str:
    care, wishes = event.care, event.wishes
    sentence = (
        f"A package was requested: {care.weekly_hours} hours a week of {format_word(care.service_type)} in "
        f"{care.outward_code} (lot {format_word(care.lot)}, area {care.area}), {_format_route(care)}, "
        f"from {format_day(care.starts_on)}"
    )
    if event.follows is not None:
        sentence += f"; it follows a package that {names.find_name(event.follows.provider_id)} delivers"
    if wishes.refused:
        sentence += f"; the person refuses {names.name_providers(wishes.refused)}"
    if wishes.preferred:
        sentence += f"; the person prefers {names.name_providers(wishes.preferred)}"
    return sentence


def _format_route(care: Care) -> str:
    route = f"by the route {format_word(care.route)}"
    if not care.urgent:
        return route
    since = "" if care.urgent_since is None else f" since {format_instant(care.urgent_since)}"
    return f"{route}, urgent{since}"


def _narrate_stage_entered(event: StageEntered, names: Names) -> str:
    order = describe_stage_order(event)
    return f"The stage {format_stage(event.stage)} began {order}: {list_candidates(event.candidates, names)}"


def _narrate_acceptances_ordered(event: AcceptancesOrdered, names: Names) -> str:
    if not event.candidates:
        return f"Nobody accepted in the stage {format_stage(event.stage)}"
    order = describe_acceptance_order(event)
    return f"Those who accepted are considered {order}: {list_candidates(event.candidates, names)}"


def _narrate_provider_passed_over(event: ProviderPassedOver, names: Names) -> str:
    who = f"{names.find_name(event.provider_id)} (rank {event.rank} of {format_stage(event.stage)})"
    return f"{who} was passed over: {join_phrases(each.value for each in event.reasons)}"


def _narrate_offer_made(event: OfferMade, names: Names) -> str:
    turn = f"rank {event.rank} of {format_stage(event.stage)}" if event.act_id is None else "out of order"
    who = f"{names.find_name(event.provider_id)} ({turn})"
    others = "; others are asked at the same time" if event.asks_all else ""
    return (
        f"{who} was offered the package by {format_channel(event.channel)}: {event.weekly_hours} hours a week at "
        f"{format_terms(event.terms)}; {_format_answer_time(event.answer_by)}{others}{_format_shown(event)}"
    )


def _format_shown(event: OfferMade) -> str:
    return f"; shown: {join_phrases(each.value for each in event.shown)}" if event.shown else ""


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
        f"The package was placed with {_name_placed(event, names)}: "
        f"{event.weekly_hours} hours a week of {format_word(event.service_type)} "
        f"at {format_terms(event.terms)}, from {format_day(event.starts_on)}"
    )


def _name_placed(event: PackagePlaced, names: Names) -> str:
    if event.manual_id is not None:
        return f"{names.find_name(event.provider_id)} by hand"
    return names.name_with_rank(event.provider_id, event.stage)


def _narrate_placement_voided(event: PlacementVoided, names: Names) -> str:
    return (
        f"The placement with {names.find_name(event.provider_id)} was undone before care started: "
        f"{format_word(event.reason)}; {event.weekly_hours} hours a week are free again"
        f"{', and the search goes on' if event.resourced else ''}"
    )


def _narrate_sourcing_exhausted(event: SourcingExhausted, _: Names) -> str:
    if event.last_stage is None:
        return "No stage of the framework is meant for the package; an officer has to act"
    last = format_stage(event.last_stage)
    return f"Nobody took the package, and after {last} there is {event.reason.value}; an officer has to act"


def _narrate_offer_delivered(event: OfferDelivered, names: Names) -> str:
    who, at = names.find_name(event.provider_id), format_instant(event.delivered_at)
    return f"The offer reached {who} by {format_channel(event.channel)} at {at}"


def _narrate_offer_undeliverable(event: OfferUndeliverable, names: Names) -> str:
    who, channel = names.find_name(event.provider_id), format_channel(event.channel)
    since = "" if event.first_attempt_at is None else f", tried since {format_instant(event.first_attempt_at)}"
    return f"The offer could not be delivered to {who} by {channel}: {event.reason}{since}"


def _narrate_version_change(event: DefinitionVersionChanged, names: Names) -> str:
    return (
        f"{names.name_actor(event.officer)} moved the search from version {event.from_version} of the definition "
        f"to version {event.to_version}"
    )


NARRATIONS: Final = (
    Narration(PackageRequested, _narrate_package_requested),
    Narration(
        WithdrawalRequested, lambda event, _: f"The council asked for the package back: {format_word(event.reason)}"
    ),
    Narration(DefinitionVersionChanged, _narrate_version_change),
    Narration(PackageWithdrawn, lambda event, _: f"The package was withdrawn: {format_word(event.reason)}"),
    Narration(
        PersonDisclosed, lambda event, names: f"{names.find_name(event.provider_id)} was shown who the person is"
    ),
    Narration(
        SourcingStarted,
        lambda event, _: (
            f"The search began, by version {event.definition_version} of {event.framework}, "
            f"in lot {format_word(event.lot)} and area {event.area}"
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
    Narration(
        AcceptanceReceived,
        lambda event, names: (
            f"{names.find_name(event.provider_id)} accepted; the package waits for the answers of the others"
        ),
    ),
    Narration(AcceptancesOrdered, _narrate_acceptances_ordered),
    Narration(OfferAccepted, lambda event, names: f"{names.find_name(event.provider_id)} accepted"),
    Narration(
        OfferDeclined,
        lambda event, names: f"{names.find_name(event.provider_id)} declined: {format_word(event.reason)}",
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
    *LIST_NARRATIONS,
    *NOTICE_NARRATIONS,
    *OFFICER_NARRATIONS,
    *COMPETITION_NARRATIONS,
)
"""The sentence of every event that can be in a package's story."""
