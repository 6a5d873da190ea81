"""The councils' framework definitions, read from the projection."""

from collections.abc import Sequence

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import CouncilKey
from referral.ports import DEFINITION_VERSIONS
from service_runtime.projections.memory import ProjectionSnapshot


class ProjectedFrameworks:
    """The councils' framework definitions, read from the projection."""

    def __init__(self, projections: ProjectionSnapshot) -> None:
        self._projections = projections

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        entries = await self._projections.get_by_prefix(DEFINITION_VERSIONS, "")
        return [entry.event.definition for entry in entries if entry.event.definition.council == council]
