"""The councils' framework definitions, read from the projection."""

from collections.abc import Sequence

from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey
from referral.ports import DEFINITIONS
from service_runtime.projections.projections import ProjectionReader


class PostgresFrameworks:
    """The councils' framework definitions, read from the projection."""

    def __init__(self, projections: ProjectionReader) -> None:
        self._projections = projections

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        rows = await self._projections.get_by_prefix(DEFINITIONS, "")
        return [row.event.definition for row in rows if row.event.definition.council == council]
