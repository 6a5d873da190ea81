"""The next step of a package on a list, or of one that waits for a list."""

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, BatchingList, Exhausted, OpenList
from sourcing.domain.brokerage_clock import BrokerageClock
from sourcing.domain.calendar import BrokerageCalendar
from sourcing.domain.list_calendar import find_cut_off_from
from sourcing.domain.listed_package import Listing
from sourcing.domain.next_steps import NextStep, NextStepKind
from sourcing.domain.procedures.batching_list import awaits_cut_off, find_list_of_stage, is_closed_for_stage
from sourcing.domain.search import Search


def describe_batching_list(search: Search, brokerage: BrokerageClock) -> NextStep:
    """Describe a package whose new offers wait for the closing of a list."""
    entry = search.batching
    assert entry is not None, "a suspended search is on a list"
    ticks = "1 provider, who is" if len(entry.ticks) == 1 else f"{len(entry.ticks)} providers, who are"
    closes = brokerage.format_instant(entry.closes_at)
    text = f"on the Batching List until {closes}, ticked by {ticks} then offered it in their order"
    return NextStep(NextStepKind.ON_BATCHING_LIST, text, at=entry.closes_at, stage=entry.stage)


def find_awaited_list(search: Search, brokerage: BrokerageClock) -> NextStep | None:
    """Find the list for which a package waits whose stage has no provider left; None where it does not wait."""
    definition, stage = brokerage.definition, search.stage
    if definition is None or stage is None or search.is_urgent or not awaits_cut_off(definition, search):
        return None
    listed = find_list_of_stage(definition, search)
    if listed is None or definition.get_offering_stage(stage.name).exhausted is not Exhausted.WAIT_FOR_LIST:
        return None
    calendar = BrokerageCalendar(definition.brokerage)
    opening = calendar.find_opening_from(brokerage.now)
    cut_off = find_cut_off_from(calendar, listed.cut_off.time, opening)
    if calendar.get_local_day(cut_off) != calendar.get_local_day(opening):
        return None
    text = f"waits for the Batching List of {brokerage.format_instant(cut_off)}"
    return NextStep(NextStepKind.LIST_AWAITED, text, at=cut_off, stage=stage.name)


def find_following_stage(search: Search, definition: FrameworkDefinition | None) -> AnyStage | None:
    """Find the stage after the current one; that of the ticks where a list of the current stage is closed."""
    name = None if search.stage is None else search.stage.name
    if definition is None:
        return None
    if name is not None and definition.is_end_of_road(name):
        return None
    if is_closed_for_stage(search) and search.batching is not None and search.batching.ticks:
        return find_list_of_stage(definition, search)
    kind = definition.describe_kind(search.care)
    following = definition.find_next_stage(name, kind)
    while isinstance(following, BatchingList):
        following = definition.find_next_stage(following.stage, kind)
    return following


def describe_listing(listing: Listing | None, brokerage: BrokerageClock) -> NextStep:
    assert listing is not None, "a listed search has a listing"
    if listing.award is not None:
        return NextStep(
            NextStepKind.APPROVAL_NEEDED,
            "waits for an officer: a second officer approves or refuses the price",
            stage=listing.stage,
            award_id=listing.award.award_id,
            proposal_id=listing.award.proposal_id,
        )
    if listing.proposals:
        count = len(listing.proposals)
        proposals = "1 proposal" if count == 1 else f"{count} proposals"
        text = f"waits for an officer: award one of {proposals}, or wait for others"
        return NextStep(NextStepKind.AWARD_NEEDED, text, stage=listing.stage)
    if listing.is_overdue:
        text = "waits for an officer: no provider has proposed; find another way, or change the package"
        return NextStep(NextStepKind.OPEN_TOO_LONG, text, stage=listing.stage)
    return _describe_open_list(listing, brokerage)


def _describe_open_list(listing: Listing, brokerage: BrokerageClock) -> NextStep:
    stage = None if brokerage.definition is None else brokerage.definition.get_stage(listing.stage)
    if not listing.is_open and listing.opens_at is not None:
        text = f"goes on the list of {brokerage.format_day(listing.opens_at)}, and is open to proposals from then on"
        return NextStep(NextStepKind.LIST_AWAITED, text, at=listing.opens_at, stage=listing.stage)
    text = "open to proposals until placed"
    if not isinstance(stage, OpenList):
        return NextStep(NextStepKind.ON_OPEN_LIST, text, stage=listing.stage)
    overdue_at = brokerage.find_opening_from(listing.listed_at + stage.alarm_after)
    return NextStep(
        NextStepKind.ON_OPEN_LIST,
        f"{text}; on the officers' work list from {brokerage.format_day(overdue_at)} if no provider proposes",
        at=overdue_at,
        stage=listing.stage,
    )
