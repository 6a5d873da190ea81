"""Pausing a search: no new offers are made. Live offers can be answered, and an acceptance places the package."""

from contracts.events.officer_acts import SearchPaused, SearchResumed
from sourcing.domain.draft import Draft
from sourcing.domain.offering import advance
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import PauseSearch, ResumeSearch
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import Result


def pause_search(draft: Draft, command: PauseSearch) -> Result:
    """Pause the search; a search that is paused stays so. Raises ActNotPossible, InvalidInput."""
    if draft.search.acts.is_paused:
        return Result()
    require_allowed(draft, Act.PAUSE)
    check_officer_reason(draft, command.reason)
    draft.publish(
        SearchPaused(
            package_id=draft.search.package_id,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    return Result()


def resume_search_by_officer(draft: Draft, command: ResumeSearch) -> Result:
    """Go on from where the search was, with what became due meanwhile; a search that runs stays as it is.

    Raises ActNotPossible, InvalidInput.
    """
    if draft.search.is_open and not draft.search.acts.is_paused:
        return Result()
    require_allowed(draft, Act.RESUME)
    check_officer_reason(draft, command.reason)
    draft.publish(
        SearchResumed(
            package_id=draft.search.package_id,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    return advance(draft)
