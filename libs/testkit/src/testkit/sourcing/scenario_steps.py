"""The sentences of the scenario tables: what each of them asks of whoever plays it.

A player has a method of the name that stands behind a sentence; one that has none does not know the sentence.
"""

from collections.abc import Mapping
from typing import Final

GIVEN: Final[Mapping[str, str]] = {
    "tier {number}: {providers}": "ranks",
    "the list of tier {number} is missing": "lacks_list",
    "an open list with a ceiling of {pounds}": "has_open_list",
    "an open list for the framework alone": "has_open_list_for_framework",
    "spot providers: {providers}": "sell_spot",
    "the definition is missing": "lacks_definition",
    "the definition is published": "has_definition",
    "providers select their rates": "select_rates",
    "{provider} has selected {pounds}": "has_selected",
    "{provider} has selected a rate for live-in care alone": "has_selected_for_live_in",
    "{provider} is reached by {words}": "is_reached_by",
    "nothing is known of {provider}": "is_unknown",
    "{provider} introduces itself": "is_introduced",
    "{provider} is embargoed": "is_embargoed",
    "the embargo of {provider} is lifted": "is_free_of_embargo",
    "{provider} has {number} hours free": "has_free",
    "{provider} drops below the floor of its tier": "drops_below_floor",
    "{provider} does not meet an entry requirement": "misses_requirement",
    "{provider} is a member of tier {number} alone": "is_member_of",
    "{provider} does not offer the service": "lacks_service",
    "{provider} is rated {words}": "is_rated",
    "the person refuses {providers}": "are_refused",
    "the person prefers {providers}": "are_preferred",
}
"""What is given before the request, and may change after it."""

WHEN: Final[Mapping[str, str]] = {
    "the package is requested": "is_requested",
    "an urgent package is requested": "is_requested_urgently",
    "nothing more happens": "rests",
    "{provider} receives the offer": "receives",
    "the offer to {provider} cannot be delivered": "is_not_delivered",
    "{provider} accepts": "accepts",
    "{provider} declines": "declines",
    "an officer telephones {provider}: nobody is reached": "is_called_in_vain",
    "an officer telephones {provider}: reached": "is_called",
    "an officer telephones {provider}: it accepts": "accepts_on_phone",
    "an officer telephones {provider}: it declines": "declines_on_phone",
    "the council withdraws the package": "is_withdrawn",
    "we go down until {instant}": "goes_down",
    "{provider} proposes {pounds}": "proposes",
    "{provider} proposes {pounds} at other times of day": "proposes_other_times",
    "officer {words} awards {provider}": "awards",
    "officer {words} awards {provider} for want of another proposal": "awards_inadequate",
    "officer {words} approves the price": "approves",
    "officer {words} refuses the price": "refuses",
}

THEN: Final[Mapping[str, str]] = {
    "the offer to {provider} ends {instant}": "ends",
    "the offer to {provider} goes by {words}": "goes_by",
    "the offer to {provider} is at {pounds}": "is_at",
    "the live offer is to {provider}": "is_live",
    "nobody has an offer": "nobody_has_offer",
    "{provider} was asked {instant}": "was_asked",
    "asked in turn: {providers}": "were_asked",
    "{provider} is passed over: {words}": "was_passed_over",
    "{provider} in {words}: {words}": "came_out",
    "the package is placed with {provider}": "is_placed",
    "the package is placed with {provider} at {pounds}": "is_placed_at",
    "the placement is voided": "is_voided",
    "the package is {words}": "is_in_state",
    "told: {words}": "was_told",
    "the work list says {words}": "has_work",
    "held for {words}": "is_held_for",
    "the time to answer was extended {number} times": "was_extended",
    "nothing was placed or stopped twice": "happened_once",
}
