"""Skipping a provider of the current stage, whose turn it is or is still to come."""

from contracts.events.officer_acts import ProviderSkipped
from contracts.events.searches import StageCandidate
from sourcing.domain.draft import Draft
from sourcing.domain.errors import ProviderBarred
from sourcing.domain.offering import advance
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import SkipProvider
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.steps import Result


def skip_provider(draft: Draft, command: SkipProvider) -> Result:
    """Record that the provider is not asked in this stage; the search goes on if no offer is live.

    A provider that was skipped before stays so. A live offer is not called back. Raises ActNotPossible, InvalidInput,
    and ProviderBarred for a provider that is no candidate or has had its turn.
    """
    if command.provider_id is not None and command.provider_id in draft.search.acts.skipped:
        return Result()
    require_allowed(draft, Act.SKIP)
    check_officer_reason(draft, command.reason)
    candidate = _find_candidate(draft, command)
    draft.publish(
        ProviderSkipped(
            package_id=draft.search.package_id,
            search_id=draft.search_id,
            stage=draft.stage.name,
            provider_id=candidate.provider_id,
            rank=candidate.rank,
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    return advance(draft)


def _find_candidate(draft: Draft, command: SkipProvider) -> StageCandidate:
    untried = draft.stage.untried
    if command.provider_id is None:
        return untried[0]
    found = next((each for each in untried if each.provider_id == command.provider_id), None)
    if found is None:
        raise ProviderBarred(
            f"provider {command.provider_id} is not to be asked any more in the stage {draft.stage.name}; "
            "choose one whose turn is still to come"
        )
    return found
