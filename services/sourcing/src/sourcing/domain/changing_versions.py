"""Moving a search to another version of its framework's definition; a search keeps its version unless it is moved."""

from contracts.events.searches import DefinitionVersionChanged
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import OpenList
from sourcing.domain.draft import Draft
from sourcing.domain.errors import VersionNotPossible
from sourcing.domain.steps import Result
from sourcing.domain.triggers import ChangeVersion


def change_version(draft: Draft, command: ChangeVersion) -> Result:
    """Continue the search under another version; a live offer and the stage's candidates stay as they are.

    Raises VersionNotPossible if the search is not under way, the version is not in force, or it lacks the stage or has
    another procedure for it: acceptances that wait for others would be lost.
    """
    search = draft.search
    if search.definition_version == command.version:
        return Result()
    if not search.is_open or search.definition_version is None:
        raise VersionNotPossible(f"the package is {search.status}; only a search that is under way can be moved")
    _check_target(draft, draft.market.target, command.version)
    draft.publish(
        DefinitionVersionChanged(
            package_id=search.package_id,
            search_id=draft.search_id,
            from_version=search.definition_version,
            to_version=command.version,
            officer=command.officer,
        )
    )
    return Result()


def _check_target(draft: Draft, target: FrameworkDefinition | None, version: int) -> None:
    care, stage = draft.search.care, draft.search.stage
    if target is None:
        raise VersionNotPossible(f"version {version} of {care.framework} is not published; publish it first")
    if target.first_day > draft.local_day:
        raise VersionNotPossible(f"version {version} holds from {target.first_day.isoformat()} on; move it then")
    lot = target.find_lot(care.lot)
    if lot is None or not lot.has_area(care.area) or not target.find_price_lines(care.service_type, care.area):
        raise VersionNotPossible(f"version {version} does not serve this package; withdraw it and request it again")
    if stage is None:
        return
    procedures = {each.stage: each.procedure for each in target.sourcing if not isinstance(each, OpenList)}
    if stage.name not in procedures:
        raise VersionNotPossible(
            f"version {version} has no stage {stage.name} that makes offers; move the package when it leaves this stage"
        )
    if procedures[stage.name] != draft.definition.get_stage(stage.name).procedure:
        raise VersionNotPossible(
            f"version {version} makes the offers of stage {stage.name} by another procedure; move the package when it "
            "leaves this stage"
        )
