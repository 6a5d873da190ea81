"""What happens to a package when a Batching List goes out, and when it is closed."""

from sourcing.domain.draft import Draft
from sourcing.domain.offering import advance
from sourcing.domain.procedures.batching_list import add_to_list, awaits_cut_off, close_entry, find_list_of_stage
from sourcing.domain.steps import Result
from sourcing.domain.triggers import ListCloses, ListCutOff


def list_package_at_cut_off(draft: Draft, _: ListCutOff) -> Result:
    """Put the package on the list if it is still with the stage, after everything that is due before has been done."""
    result = advance(draft) if draft.search.is_between_offers else Result()
    listed = find_list_of_stage(draft.definition, draft.search)
    if listed is not None and awaits_cut_off(draft.definition, draft.search):
        add_to_list(draft, listed)
    return result


def close_list_of_package(draft: Draft, _: ListCloses) -> Result:
    """Close the list for the package and go on, unless an offer is still live."""
    entry = draft.search.batching
    if entry is None or not entry.is_out or not draft.search.is_open or draft.at < entry.closes_at:
        return Result()
    close_entry(draft)
    return advance(draft) if draft.search.is_between_offers else Result()
