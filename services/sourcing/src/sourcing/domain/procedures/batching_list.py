"""`batching-list`: what a stage leaves unplaced at the cut-off is listed; those who tick it are offered it in order.

While the list is out, no new offers are made of its packages, unless they are urgent or an officer decides otherwise.
An offer that is live at the cut-off stays live and has precedence. The rules are in DOMAIN.
"""

from contracts.events.lists import InterestClosed, ListKind, ListRowAdded, ListRowRemoved, RowEnd
from contracts.events.searches import ProviderPassedOver, StageEntered
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import BatchingList, Exhausted
from contracts.ids import ListingReference
from contracts.values import PassOverReason
from sourcing.domain.adverts import build_advert
from sourcing.domain.batching_entry import EntryStatus
from sourcing.domain.draft import Draft
from sourcing.domain.list_calendar import find_cut_off_from, find_cut_off_until, find_return_by
from sourcing.domain.list_ids import LATE_AFTER, make_list_id
from sourcing.domain.search import Search
from sourcing.domain.stage_entry import enter_next_stage


def find_list_of_stage(definition: FrameworkDefinition, search: Search) -> BatchingList | None:
    """Find the list that takes packages from the search's current stage; None where there is none."""
    name = None if search.stage is None else search.stage.name
    lists = (stage for stage in definition.sourcing if isinstance(stage, BatchingList))
    return next((each for each in lists if each.cut_off.while_in == name), None)


def awaits_cut_off(definition: FrameworkDefinition, search: Search) -> bool:
    """Return whether the package is listed at the next cut-off if nobody takes it before.

    A search is listed once. Without a provider in the stage there is nobody to whom a list could go.
    """
    has_providers = search.stage is not None and bool(search.stage.candidates)
    return (
        search.is_open
        and search.batching is None
        and has_providers
        and find_list_of_stage(definition, search) is not None
    )


def is_suspended(search: Search) -> bool:
    """Return whether a list that is out holds back new offers of the package."""
    entry = search.batching
    is_of_stage = entry is not None and search.stage is not None and entry.stage == search.stage.name
    return entry is not None and is_of_stage and entry.is_out and entry.suspends and not search.is_urgent


def add_to_list(draft: Draft, stage: BatchingList) -> None:
    """Make the package a row of the list that is due; after an outage the list is late, and can be returned later."""
    care, calendar = draft.search.care, draft.calendar
    due = find_cut_off_until(calendar, stage.cut_off.time, draft.at)
    day = calendar.get_local_day(due)
    draft.publish(
        ListRowAdded(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            list_id=make_list_id(care.framework, stage.stage, day),
            kind=ListKind.BATCHING_LIST,
            framework=care.framework,
            stage=stage.stage,
            taken_from=stage.cut_off.while_in,
            day=day,
            late=draft.at - due > LATE_AFTER,
            advert=build_advert(
                care,
                ListingReference(draft.new_id()),
                draft.definition,
                outward_codes_shown=stage.outward_codes_shown,
            ),
            unit=draft.definition.find_price_lines(care.service_type, care.area)[0].unit,
            listed_since=draft.at,
            closes_at=find_return_by(calendar, stage.returned_by, draft.at),
            providers=tuple(candidate.provider_id for candidate in draft.stage.candidates),
        )
    )


def close_entry(draft: Draft) -> None:
    """Close the list for the package. Whoever has not been asked and did not tick is passed over.

    For an urgent package the list merely closes, and its offers go on.
    """
    entry = draft.search.batching
    assert entry is not None, "only a package on a list is taken off it"
    draft.publish(
        InterestClosed(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            list_id=entry.list_id,
            stage=entry.list_stage,
            providers=entry.ticks_in_order,
        )
    )
    if draft.search.is_urgent:
        return
    for candidate in draft.stage.untried:
        if candidate.provider_id not in entry.ticks:
            draft.publish(
                ProviderPassedOver(
                    package_id=draft.search.package_id,
                    search_id=draft.search_id,
                    stage=draft.stage.name,
                    provider_id=candidate.provider_id,
                    rank=candidate.rank,
                    reasons=(PassOverReason.LISTED_NO_TICK,),
                    views=(),
                )
            )


def is_closed_for_stage(search: Search) -> bool:
    """Return whether the list of the current stage is closed, so that those who ticked are offered the package."""
    entry = search.batching
    is_of_stage = entry is not None and search.stage is not None and entry.stage == search.stage.name
    return entry is not None and is_of_stage and entry.status is EntryStatus.CLOSED and not search.is_urgent


def enter_stage_of_ticks(draft: Draft) -> bool:
    """Begin the offers to those who ticked, in their order; without any tick the next stage follows."""
    listed, entry = find_list_of_stage(draft.definition, draft.search), draft.search.batching
    assert listed is not None, "the list takes its packages from this stage"
    assert entry is not None, "only a package on a list has ticks"
    ticked = [draft.stage.get_candidate(provider) for provider in entry.ticks_in_order]
    if not ticked:
        return enter_next_stage(draft, listed.stage)
    draft.publish(
        StageEntered(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=listed.stage,
            tiers=draft.stage.tiers,
            order=draft.definition.get_offering_stage(draft.stage.name).order,
            lists=draft.stage.lists,
            candidates=tuple(each.model_copy(update={"rank": turn}) for turn, each in enumerate(ticked, start=1)),
        )
    )
    return True


def leave_stage(draft: Draft) -> bool:
    """Leave a stage that has no provider left: the next stage follows, or the package waits for its list."""
    listed, stage = find_list_of_stage(draft.definition, draft.search), draft.stage
    if listed is None or not stage.candidates:
        return enter_next_stage(draft, stage.name)
    entry = draft.search.batching
    if entry is not None and entry.is_out:
        if not draft.search.is_urgent:
            return False
        draft.publish(
            ListRowRemoved(
                package_id=draft.search.package_id,
                search_id=draft.search_id,
                list_id=entry.list_id,
                stage=entry.list_stage,
                reason=RowEnd.STAGE_EXHAUSTED,
            )
        )
    return not waits_for_cut_off(draft, listed) and enter_next_stage(draft, listed.stage)


def waits_for_cut_off(draft: Draft, listed: BatchingList) -> bool:
    """Return whether an exhausted stage waits for today's list: until the cut-off, the instant itself included."""
    waits = draft.definition.get_offering_stage(draft.stage.name).exhausted is Exhausted.WAIT_FOR_LIST
    if not waits or draft.search.is_urgent or draft.search.batching is not None:
        return False
    cut_off = find_cut_off_from(draft.calendar, listed.cut_off.time, draft.at)
    return draft.calendar.get_local_day(cut_off) == draft.calendar.get_local_day(draft.at)
