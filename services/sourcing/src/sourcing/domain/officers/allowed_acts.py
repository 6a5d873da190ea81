"""Which acts of officers make sense in the state of a search, and why the others do not."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from contracts.ids import ProviderId
from contracts.office_time import to_office_date
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ActNotPossible
from sourcing.domain.procedures.batching_list import is_suspended
from sourcing.domain.search import Search, SearchStatus


class Act(StrEnum):
    """What an officer can do with a package."""

    PAUSE = "pause"
    RESUME = "resume"
    SKIP = "skip a provider"
    OFFER = "offer out of order"
    TAKE_UP_TICK = "take up a late tick"
    OVERRIDE_SUSPENSION = "override the suspension of offers"
    PLACE = "record a placement made by hand"
    APPROVE = "approve an act"
    REFUSE = "refuse or withdraw an act"
    RESOURCE = "source again"
    PROPOSE = "enter a proposal for a provider"
    COUNTER = "make a counter-offer"
    AWARD = "award a proposal"
    WITHDRAW_AWARD = "withdraw an award"
    ASSIGN = "assign to an officer"


@dataclass(frozen=True)
class AllowedAct:
    """An act that is possible now. `about` is the act or award that it concerns, where it concerns one.

    `needs_second_officer` is None where the price decides.
    """

    act: Act
    needs_second_officer: bool | None = False
    about: UUID | None = None


_SECOND_OFFICER: Final[Mapping[Act, bool | None]] = {Act.OFFER: True, Act.PLACE: None, Act.AWARD: None}


_COMPETED_FOR: Final = "providers compete for the package; end the competition first, or award one of its bids"


def find_allowed_acts(search: Search, *, today: date) -> tuple[AllowedAct, ...]:
    """Find the acts that are possible now; `today` is the day in the office, before which care has not started."""
    return tuple(_list_allowed_acts(search, today))


def require_allowed(draft: Draft, act: Act) -> None:
    """Raises ActNotPossible, with the reason and what to do, for an act that makes no sense now."""
    obstacle = find_obstacle(draft.search, act, today=to_office_date(draft.at))
    if obstacle is not None:
        raise ActNotPossible(obstacle)


def find_obstacle(search: Search, act: Act, *, today: date) -> str | None:
    """Return why the act is not possible and what to do, as a sentence; None where it is possible."""
    if act is Act.RESOURCE:
        return _find_obstacle_to_sourcing_again(search, today)
    return _OBSTACLES[act](search)


def _list_allowed_acts(search: Search, today: date) -> Iterator[AllowedAct]:
    for act in Act:
        if find_obstacle(search, act, today=today) is not None:
            continue
        if act is Act.APPROVE:
            waiting = search.acts.awaiting_second_officer
            yield from (AllowedAct(act, needs_second_officer=True, about=each.act_id) for each in waiting)
        elif act is Act.REFUSE:
            yield from (AllowedAct(act, about=each.act_id) for each in search.acts.pending)
        elif act is Act.WITHDRAW_AWARD and search.listing is not None and search.listing.award is not None:
            yield AllowedAct(act, about=search.listing.award.award_id)
        else:
            yield AllowedAct(act, needs_second_officer=_SECOND_OFFICER.get(act, False))


def _describe(search: Search) -> str:
    return f"package {search.package_id} is {search.status}"


def _find_obstacle_to_pausing(search: Search) -> str | None:
    if not search.is_open:
        return f"{_describe(search)}; only a search that is under way can be paused"
    return "the search is paused already; resume it to go on" if search.acts.is_paused else None


def _find_obstacle_to_resuming(search: Search) -> str | None:
    return None if search.acts.is_paused else f"{_describe(search)} and not paused; there is nothing to resume"


def _find_obstacle_to_skipping(search: Search) -> str | None:
    if not search.is_open:
        return f"{_describe(search)}; providers are skipped while a search is under way"
    if search.stage is None or not search.stage.untried:
        return "no provider of this stage is still to be asked; wait for the next stage"
    return None


def _find_obstacle_to_stepping_in(search: Search) -> str | None:
    if search.search_id is None:
        return f"the search has not started: {', '.join(search.missing)} is missing; publish what is missing first"
    if search.status is SearchStatus.PLACED:
        return f"{_describe(search)}; source it again first"
    if search.status is SearchStatus.COMPETING:
        return _COMPETED_FOR
    return f"{_describe(search)}; request it again" if search.status is SearchStatus.STOPPED else None


def _find_obstacle_to_taking_up(search: Search) -> str | None:
    if not list_late_ticks(search):
        return "no provider has ticked the package late; propose an offer out of order instead"
    return _find_obstacle_to_stepping_in(search)


def list_late_ticks(search: Search) -> tuple[ProviderId, ...]:
    """List the providers whose late ticks an officer can take up: those that got no offer for theirs."""
    entry = search.batching
    if entry is None:
        return ()
    taken_up = {offer.provider_id for offer in search.offers if offer.is_directed}
    taken_up |= {act.provider_id for act in search.acts.directed if act.is_ready}
    return tuple(provider for provider in entry.late_ticks if provider not in taken_up)


def _find_obstacle_to_overriding(search: Search) -> str | None:
    if not search.is_open:
        return f"{_describe(search)}; no offers of it are suspended"
    return None if is_suspended(search) else "no list suspends the offers of this package"


def _find_obstacle_to_placing(search: Search) -> str | None:
    if search.acts.placement is not None:
        return "another placement by hand waits for a second officer; have it approved or refused first"
    return _find_obstacle_to_stepping_in(search) or _find_waiting_award(search)


def _find_waiting_award(search: Search) -> str | None:
    if search.listing is None or search.listing.award is None:
        return None
    return f"award {search.listing.award.award_id} waits for a second officer; withdraw it, or wait for the decision"


def _find_obstacle_to_approving(search: Search) -> str | None:
    if search.status is SearchStatus.COMPETING:
        return _COMPETED_FOR
    return None if search.acts.awaiting_second_officer else "no act of an officer waits for a second one"


def _find_obstacle_to_refusing(search: Search) -> str | None:
    return None if search.acts.pending else "no act of an officer waits"


def _find_obstacle_to_sourcing_again(search: Search, today: date) -> str | None:
    if search.status is SearchStatus.PLACED and search.care.starts_on <= today:
        return f"{_describe(search)} and care has started; a provider that gives notice hands the package back"
    if search.status not in {SearchStatus.PLACED, SearchStatus.EXHAUSTED, SearchStatus.LISTED}:
        return f"{_describe(search)}; only a package that is placed, exhausted or listed is sourced again"
    if search.live_offers:
        return "an offer out of order can still be answered; wait for its end"
    return _find_waiting_award(search)


def _find_obstacle_to_proposing(search: Search) -> str | None:
    return None if search.status is SearchStatus.LISTED else f"{_describe(search)} and not open to proposals"


def _find_obstacle_to_countering(search: Search) -> str | None:
    if search.status is not SearchStatus.LISTED or search.listing is None:
        return f"{_describe(search)} and not open to proposals"
    return None if search.listing.proposals else "no provider has proposed; wait for a proposal"


def _find_obstacle_to_withdrawing(search: Search) -> str | None:
    return "no award waits for a second officer" if _find_waiting_award(search) is None else None


def _find_obstacle_to_assigning(search: Search) -> str | None:
    return f"{_describe(search)}; nobody works on it" if search.status is SearchStatus.STOPPED else None


_OBSTACLES: Final[Mapping[Act, Callable[[Search], str | None]]] = {
    Act.PAUSE: _find_obstacle_to_pausing,
    Act.RESUME: _find_obstacle_to_resuming,
    Act.SKIP: _find_obstacle_to_skipping,
    Act.OFFER: _find_obstacle_to_stepping_in,
    Act.TAKE_UP_TICK: _find_obstacle_to_taking_up,
    Act.OVERRIDE_SUSPENSION: _find_obstacle_to_overriding,
    Act.PLACE: _find_obstacle_to_placing,
    Act.APPROVE: _find_obstacle_to_approving,
    Act.REFUSE: _find_obstacle_to_refusing,
    Act.PROPOSE: _find_obstacle_to_proposing,
    Act.COUNTER: _find_obstacle_to_countering,
    Act.AWARD: lambda search: _find_obstacle_to_countering(search) or _find_waiting_award(search),
    Act.WITHDRAW_AWARD: _find_obstacle_to_withdrawing,
    Act.ASSIGN: _find_obstacle_to_assigning,
}
