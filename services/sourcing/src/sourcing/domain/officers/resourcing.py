"""Sourcing a package again: after a placement that fell through before care started, exhausted, or listed."""

from contracts.errors import FieldError, InvalidInput
from contracts.events.officer_acts import PackageResourced
from contracts.events.searches import PlacementVoided
from sourcing.domain.draft import Draft
from sourcing.domain.offering import advance
from sourcing.domain.officers.allowed_acts import Act, require_allowed
from sourcing.domain.officers.commands import ResourcePackage
from sourcing.domain.officers.reasons import check_officer_reason
from sourcing.domain.search import Placement, SearchStatus
from sourcing.domain.steps import Result


def resource_package(draft: Draft, command: ResourcePackage) -> Result:
    """Source the package again, from where it was or from the named stage on; what was answered until now stands.

    A placement is voided, and the search goes on after that provider's turn, or on the list where it was. An exhausted
    or a listed package enters the road again. Raises ActNotPossible, InvalidInput.
    """
    require_allowed(draft, Act.RESOURCE)
    check_officer_reason(draft, command.reason)
    _check_stage(draft, command.stage)
    search, placement = draft.search, draft.search.placement
    is_placed = search.status is SearchStatus.PLACED and placement is not None
    if is_placed and placement is not None:
        _void_placement(draft, placement, command)
    restarts = not is_placed or command.stage is not None
    draft.publish(
        PackageResourced(
            package_id=search.package_id,
            search_id=draft.search_id,
            placement_id=placement.placement_id if is_placed and placement is not None else None,
            former_provider_id=placement.provider_id if is_placed and placement is not None else None,
            restarts=restarts,
            from_stage=command.stage,
            is_listed=not restarts and search.listing is not None,
            tried=tuple(dict.fromkeys(offer.provider_id for offer in search.offers)),
            officer=command.officer,
            reason=command.reason,
            note_id=command.note_id,
        )
    )
    return advance(draft)


def _check_stage(draft: Draft, stage: str | None) -> None:
    """Check that the package's road has the stage. Raises InvalidInput."""
    if stage is None:
        return
    road = draft.definition.list_road(draft.definition.describe_kind(draft.search.care))
    names = [each.stage for each in road]
    if stage not in names:
        detail = f"is not a stage of this package's road; choose one of {', '.join(names) or 'none'}"
        raise InvalidInput(FieldError("#/stage", detail))


def _void_placement(draft: Draft, placement: Placement, command: ResourcePackage) -> None:
    draft.publish(
        PlacementVoided(
            package_id=draft.search.package_id,
            placement_id=placement.placement_id,
            provider_id=placement.provider_id,
            weekly_hours=placement.weekly_hours,
            reason=command.reason,
            resourced=True,
        )
    )
