"""Checks the coded reason of an officer's act."""

from contracts.framework.words import Reasons
from contracts.ids import ReasonKey
from sourcing.domain.draft import Draft
from sourcing.domain.known_reasons import require_known_reason


def check_officer_reason(draft: Draft, reason: ReasonKey) -> None:
    """Check the reason against the definition's list. Raises InvalidInput.

    Any key is taken where the definition declares no such reasons, as versions before they existed do, or is missing.
    """
    definition = draft.market.definition
    declared = () if definition is None else Reasons.list_keys(definition.reasons.officer)
    if declared:
        require_known_reason(reason, declared, "#/reason")
