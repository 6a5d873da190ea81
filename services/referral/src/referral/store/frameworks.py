"""The councils' frameworks, as the view holds them."""

from collections.abc import Sequence

from contracts.framework import FrameworkDefinition
from contracts.ids import CouncilKey
from referral.ports import DEFINITIONS
from service_runtime.projections.projections import ProjectionReader


class PostgresFrameworks:
    """The councils' frameworks, as the view holds them."""

    def __init__(self, views: ProjectionReader) -> None:
        self._views = views

    async def list_by_council(self, council: CouncilKey) -> Sequence[FrameworkDefinition]:
        known = await self._views.get_by_prefix(DEFINITIONS, "")
        return [each.event.definition for each in known if each.event.definition.council == council]
