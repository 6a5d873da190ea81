"""Framework definitions, read from the projection."""

from contracts.framework.definition import FrameworkDefinition
from contracts.ids import FrameworkKey
from pricing.ports import DEFINITIONS
from service_runtime.projections.memory import ProjectionSnapshot


class ProjectedFrameworks:
    def __init__(self, projections: ProjectionSnapshot) -> None:
        self._projections = projections

    async def find_latest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        row = await self._projections.get(DEFINITIONS, framework)
        return None if row is None else row.event.definition
