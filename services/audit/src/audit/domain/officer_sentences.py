"""The sentences of officers' acts: each with the officer and the coded reason."""

from typing import Final

from audit.domain.names import Names, format_instant, format_stage, format_terms, format_word, join_phrases
from audit.domain.narration import Narration
from contracts.events.officer_acts import (
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


def _narrate_provider_skipped(event: ProviderSkipped, names: Names) -> str:
    who = f"{names.find_name(event.provider_id)} (rank {event.rank} of {format_stage(event.stage)})"
    return f"{names.name_actor(event.officer)} skipped {who}: {format_word(event.reason)}"


def _narrate_offer_directed(event: OfferDirected, names: Names) -> str:
    second = "; a second officer has to approve" if event.second_officer_needed else "; it takes up a late tick"
    return (
        f"{names.name_actor(event.officer)} wants the package offered out of order to "
        f"{names.find_name(event.provider_id)} ({format_word(event.tier)} of {event.area}): "
        f"{format_word(event.reason)}{second}"
    )


def _narrate_placement_proposed(event: PlacementByHandProposed, names: Names) -> str:
    return (
        f"{names.name_actor(event.officer)} wants to place the package by hand with "
        f"{names.find_name(event.provider_id)} (rated {event.rating.value}) at {format_terms(event.terms)}: "
        f"{format_word(event.reason)}; a second officer has to approve"
    )


def _narrate_act_ended(event: OfficerActEnded, names: Names) -> str:
    bars = f" ({join_phrases(each.value for each in event.passed_over)})" if event.passed_over else ""
    who = "" if event.officer is None else f" by {names.name_actor(event.officer)}"
    return (
        f"What officers proposed for {names.find_name(event.provider_id)} was not carried out{who}: "
        f"{event.reason.value}{bars}"
    )


def _narrate_placed_by_hand(event: PlacedByHand, names: Names) -> str:
    second = "" if event.second_officer is None else f", approved by {names.name_actor(event.second_officer)}"
    return (
        f"{names.name_actor(event.officer)} placed the package by hand with {names.find_name(event.provider_id)} "
        f"(rated {event.rating.value}) at {format_terms(event.terms)}: {format_word(event.reason)}{second}"
    )


def _narrate_package_resourced(event: PackageResourced, names: Names) -> str:
    where = "from where it was" if not event.restarts else f"from {_name_stage(event.from_stage)} on"
    who = names.name_actor(event.officer)
    return f"{who} had the package sourced again {where}: {format_word(event.reason)}"


def _name_stage(stage: str | None) -> str:
    return "the first stage" if stage is None else format_stage(stage)


def _narrate_officer_assigned(event: OfficerAssigned, names: Names) -> str:
    whom = "nobody" if event.assigned_to is None else names.name_actor(event.assigned_to)
    return f"{names.name_actor(event.officer)} assigned the package to {whom}"


def _narrate_counter_offer(event: CounterOfferMade, names: Names) -> str:
    return (
        f"{names.name_actor(event.officer)} offered {names.find_name(event.provider_id)} "
        f"{format_terms(event.terms)} instead, until {format_instant(event.valid_until)}: {format_word(event.reason)}"
    )


OFFICER_NARRATIONS: Final = (
    Narration(
        SearchPaused,
        lambda event, names: f"{names.name_actor(event.officer)} paused the search: {format_word(event.reason)}",
    ),
    Narration(
        SearchResumed,
        lambda event, names: f"{names.name_actor(event.officer)} resumed the search: {format_word(event.reason)}",
    ),
    Narration(ProviderSkipped, _narrate_provider_skipped),
    Narration(OfferDirected, _narrate_offer_directed),
    Narration(
        SuspensionOverridden,
        lambda event, names: (
            f"{names.name_actor(event.officer)} had the offers go on while the list is out: {format_word(event.reason)}"
        ),
    ),
    Narration(PlacementByHandProposed, _narrate_placement_proposed),
    Narration(
        OfficerActApproved,
        lambda event, names: (
            f"{names.name_actor(event.officer)} approved the offer out of order to {names.find_name(event.provider_id)}"
        ),
    ),
    Narration(OfficerActEnded, _narrate_act_ended),
    Narration(PlacedByHand, _narrate_placed_by_hand),
    Narration(PackageResourced, _narrate_package_resourced),
    Narration(OfficerAssigned, _narrate_officer_assigned),
    Narration(CounterOfferMade, _narrate_counter_offer),
    Narration(
        CounterOfferDeclined,
        lambda event, names: f"{names.find_name(event.provider_id)} declined the counter-offer; its proposal stands",
    ),
)
"""The sentence of every act of officers that can be in a package's story."""
