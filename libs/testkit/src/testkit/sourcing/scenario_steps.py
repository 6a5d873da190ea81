"""The sentences of the scenario tables, each with the name of the runner's method that it calls.

A runner that does not have the method does not support the sentence. Words in braces are arguments; `ARGUMENT_PATTERNS`
in `scenario_tables` has the pattern of each.
"""

from collections.abc import Mapping
from typing import Final

FRAMEWORK_GIVEN: Final[Mapping[str, str]] = {
    "the framework {words}": "choose_framework",
    "a package of {words} in {words} by {words}": "choose_package_by_route",
    "a package of {words} in {words}": "choose_package",
    "{number} visits a week of {number} minutes by {words}": "add_visits",
    "it needs {words}": "add_needs",
    "it follows a package of lot {words} with {provider}": "follow_package",
    "tier {number} for {words}: {providers}": "rank_in_group",
    "the place of {provider} in {words} is {words}": "set_place_state_in",
    "the place of {provider} is {words}": "set_place_state",
    "{provider} offers {words} alone": "set_service_type",
    "{provider} joined on {date}": "set_joining_day",
    "{provider} was last placed on {date}": "set_last_award",
    "{provider} has evidence of {words}": "set_skills",
    "{provider} has selected rate {number}": "select_rate_by_number",
    "{provider} has selected rate {number} from {date}": "select_rate_from",
    "{provider} has selected no rate for {words}": "select_no_rate",
    "interim providers: {providers}": "add_spot_providers",
    "{words} in {words}: {providers}": "enter_providers",
    "{words} in {words}: {rates}": "enter_providers_with_rates",
}
"""Facts under a definition of `frameworks/`, in its own words: titles of areas, tiers, service types and routes."""

GIVEN: Final[Mapping[str, str]] = {
    "tier {number}: {providers}": "rank_providers",
    "the list of tier {number} is missing": "remove_list",
    "an open list with a ceiling of {pounds}": "add_open_list",
    "an open list for the framework alone": "add_framework_open_list",
    "spot providers: {providers}": "add_spot_providers",
    "the definition is missing": "remove_definition",
    "the definition is published": "publish_definition",
    "providers select their rates": "enable_rate_selection",
    "{provider} has selected {pounds}": "select_rate",
    "{provider} has selected a rate for live-in care alone": "select_live_in_rate",
    "{provider} is reached by {words}": "set_channels",
    "nothing is known of {provider}": "remove_provider",
    "{provider} introduces itself": "introduce_provider",
    "{provider} is embargoed": "embargo",
    "the embargo of {provider} is lifted": "lift_embargo",
    "{provider} has {number} hours free": "declare_capacity",
    "{provider} drops below the floor of its tier": "drop_below_floor",
    "{provider} does not meet an entry requirement": "fail_requirement",
    "{provider} is a member of tier {number} alone": "set_membership",
    "{provider} does not offer the service": "remove_service_types",
    "{provider} is rated {words}": "set_rating",
    "the person refuses {providers}": "refuse_providers",
    "the person prefers {providers}": "prefer_providers",
    **FRAMEWORK_GIVEN,
}
"""Facts before the request. Each may also stand in the When column, as a change after the request."""

WHEN: Final[Mapping[str, str]] = {
    "the package is requested": "request_package",
    "an urgent package is requested": "request_urgent_package",
    "nothing more happens": "settle",
    "{provider} receives the offer": "receive_offer",
    "the offer to {provider} cannot be delivered": "fail_delivery",
    "{provider} accepts": "accept",
    "{provider} declines": "decline",
    "an officer telephones {provider}: nobody is reached": "record_unanswered_call",
    "an officer telephones {provider}: reached": "record_call",
    "an officer telephones {provider}: it accepts": "accept_by_phone",
    "an officer telephones {provider}: it declines": "decline_by_phone",
    "the council withdraws the package": "withdraw_package",
    "we go down until {instant}": "simulate_outage",
    "{provider} proposes {pounds}": "propose",
    "{provider} proposes {pounds} at other times of day": "propose_other_times",
    "officer {words} awards {provider}": "award",
    "officer {words} awards {provider} for want of another proposal": "award_with_reason",
    "officer {words} approves the price": "approve_price",
    "officer {words} refuses the price": "refuse_price",
}
"""Events."""

FRAMEWORK_THEN: Final[Mapping[str, str]] = {
    "asked at once: {providers}": "check_offered_at_once",
    "live offers: {providers}": "check_live_offers",
    "to be telephoned: {providers}": "check_calls",
    "{provider} is told: {words}": "check_end_reason",
    "acceptances in order: {providers}": "check_acceptance_order",
    "to be asked in turn: {providers}": "check_stage_order",
    "a draw decides between {providers}": "check_draw",
    "the package is placed with the first of the draw": "check_placement_by_draw",
    "stages: {words}": "check_stages",
    "the list is that of {words}": "check_list_group",
    "the lot is {words}": "check_lot",
    "{words} is outside: {words}": "check_outside",
    "{provider} is asked by its place in {words}": "check_place_of",
    "the offer to {provider} costs {pounds} a week": "check_weekly_cost",
    "the offer to {provider} costs {pounds} once": "check_fixed_cost",
    "the placement costs {pounds} a week": "check_placement_cost",
    "the offer to {provider} has the line {words}: {words}": "check_line",
    "the offer to {provider} has {number} lines": "check_line_count",
}
"""Checks that are made under a definition of `frameworks/`."""

THEN: Final[Mapping[str, str]] = {
    **FRAMEWORK_THEN,
    "the offer to {provider} ends {instant}": "check_answer_by",
    "the offer to {provider} goes by {words}": "check_channel",
    "the offer to {provider} is at {pounds}": "check_rate",
    "the live offer is to {provider}": "check_live_offer",
    "nobody has an offer": "check_no_live_offer",
    "{provider} was asked {instant}": "check_offer_made_at",
    "asked in turn: {providers}": "check_offer_order",
    "{provider} is passed over: {words}": "check_passed_over",
    "{provider} in {words}: {words}": "check_turn_outcome",
    "the package is placed with {provider}": "check_placement",
    "the package is placed with {provider} at {pounds}": "check_placement_rate",
    "the placement is voided": "check_voided",
    "the package is {words}": "check_status",
    "result: {words}": "check_result",
    "the work list says {words}": "check_work_item",
    "held for {words}": "check_missing",
    "the time to answer was extended {number} times": "check_extensions",
    "nothing was placed or stopped twice": "check_no_repeated_end",
}
