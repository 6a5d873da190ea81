"""Groups the kinds of packages that take the same road, so that a road is explained and drawn once."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, PackageKind
from contracts.ids import LotKey
from contracts.review.kinds import list_kinds


@dataclass(frozen=True)
class RoadGroup:
    """A road of one lot, and every kind of package that takes it."""

    lot: LotKey
    stages: Sequence[AnyStage]
    kinds: Sequence[PackageKind]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(stage.stage for stage in self.stages)


def group_roads(definition: FrameworkDefinition) -> Sequence[RoadGroup]:
    """Returns the roads of the definition, in the order of its lots, the most travelled one of a lot first."""
    kinds: dict[tuple[LotKey, tuple[str, ...]], list[PackageKind]] = {}
    stages: dict[tuple[str, ...], Sequence[AnyStage]] = {}
    for kind in list_kinds(definition):
        road = definition.list_road(kind)
        names = tuple(stage.stage for stage in road)
        stages[names] = road
        kinds.setdefault((kind.lot, names), []).append(kind)
    groups = [RoadGroup(lot, stages[names], found) for (lot, names), found in kinds.items()]
    lots = [lot.lot for lot in definition.lots]
    return sorted(groups, key=lambda group: (lots.index(group.lot), -len(group.kinds)))
