"""Holding a search for data that is missing in the projections."""

from contracts.events.searches import SourcingHeld
from sourcing.domain.draft import Draft


def hold_for(draft: Draft, missing: tuple[str, ...]) -> bool:
    """Hold the search when something is missing; True when it is held. The same gaps are published once."""
    if not missing:
        return False
    missing = tuple(dict.fromkeys(missing))
    if draft.search.missing != missing:
        draft.publish(SourcingHeld(package_id=draft.search.package_id, missing=missing))
    return True
