"""Ends acts of officers that wait, because the search is over."""

from contracts.events.officer_acts import ActEnd, OfficerActEnded
from contracts.ids import ActId
from sourcing.domain.draft import Draft


def end_pending_acts(draft: Draft, reason: ActEnd, *, but: ActId | None = None) -> None:
    """Publish the end of every act that is not carried out yet, apart from the one that ends the search."""
    for act in draft.search.acts.pending:
        if act.act_id != but:
            draft.publish(
                OfficerActEnded(
                    package_id=draft.search.package_id,
                    search_id=draft.search_id,
                    act_id=act.act_id,
                    provider_id=act.provider_id,
                    reason=reason,
                    officer=None,
                )
            )
