"""The councils' frameworks, as the view holds them."""

from contracts.framework import FrameworkDefinition
from contracts.ids import FrameworkKey
from pricing.ports import DEFINITIONS
from service_runtime.projections.projections import ProjectionReader


class PostgresFrameworks:
    def __init__(self, views: ProjectionReader) -> None:
        self._views = views

    async def newest(self, framework: FrameworkKey) -> FrameworkDefinition | None:
        known = await self._views.get(DEFINITIONS, framework)
        return None if known is None else known.event.definition
