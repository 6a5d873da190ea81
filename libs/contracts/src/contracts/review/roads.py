"""Finds what is wrong with the roads of a definition: stages nobody reaches, packages without a road, idle tiers."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Final

from contracts.contradictions import Contradiction
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, Designated, OpenList, PackageKind, Reach
from contracts.framework.titles import Titles
from contracts.ids import AreaCode, LotKey, TierKey
from contracts.review.kinds import count_kinds, list_kinds
from contracts.review.phrases import format_count

MAX_STEPS: Final = 200_000
"""Kinds of packages times stages of a definition that is about to be published. Following all takes about a second."""
Roads = Mapping[PackageKind, Sequence[AnyStage]]
AskedTiers = Mapping[tuple[str, LotKey], Set[TierKey]]
"""The tiers that a stage asks for packages of a lot, by stage and lot, wherever such packages reach the stage."""


def find_road_contradictions(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    """Yields each stage that no package reaches, each kind of package that nobody is asked for, and each idle tier."""
    kinds, stages = count_kinds(definition), len(definition.sourcing)
    if kinds * stages > MAX_STEPS:
        reason = f"lead to {kinds:,} kinds of packages (by area, service type, route, need and travel band)"
        remedy = f"write at most {MAX_STEPS // stages:,} for {format_count(stages, 'stage')}, with fewer words"
        yield Contradiction(("lots",), f"{reason}; {remedy}")
        return
    roads: Roads = {kind: definition.list_road(kind) for kind in list_kinds(definition)}
    asked = _list_asked_tiers(definition, roads)
    yield from _find_unreachable_stages(definition, asked)
    yield from _find_packages_without_road(definition, roads, asked)
    yield from _find_idle_tiers(definition, asked)
    yield from _find_missing_neighbours(definition)
    yield from _find_empty_lots(definition, {kind.lot for kind in roads})


def _list_asked_tiers(definition: FrameworkDefinition, roads: Roads) -> AskedTiers:
    reached = dict.fromkeys((stage.stage, kind.lot) for kind, road in roads.items() for stage in road)
    stages = {stage.stage: stage for stage in definition.sourcing}
    existing = {lot.lot: {tier.tier for tier in definition.tiers if tier.exists_in(lot.lot)} for lot in definition.lots}
    return {(name, lot): existing[lot] & _list_tiers(stages[name], existing[lot]) for name, lot in reached}


def _list_tiers(stage: AnyStage, existing: Set[TierKey]) -> Set[TierKey]:
    if isinstance(stage, OpenList):
        return existing if stage.members else set()
    return set(stage.to.tiers)


def _find_unreachable_stages(definition: FrameworkDefinition, asked: AskedTiers) -> Iterator[Contradiction]:
    reached = {name for name, _ in asked}
    asking = {name for (name, _), tiers in asked.items() if tiers}
    for position, stage in enumerate(definition.sourcing):
        if stage.stage not in reached:
            reason = "no package reaches this stage"
            remedy = "widen its conditions, or let the stages before it go on; else remove it"
            yield Contradiction(("sourcing", position), f"{reason}; {remedy}")
        elif isinstance(stage, OpenList):
            if not (stage.members or stage.spot):
                yield Contradiction(("sourcing", position), "is open to nobody; set members or spot to true")
        elif stage.stage not in asking and not (isinstance(stage, Designated) and stage.follows_in):
            reason = "asks tiers that do not exist in the lots whose packages reach it"
            yield Contradiction(("sourcing", position, "to"), f"{reason}; name a tier of the lot, or correct its lots")


def _find_packages_without_road(
    definition: FrameworkDefinition, roads: Roads, asked: AskedTiers
) -> Iterator[Contradiction]:
    """Yields one contradiction for each lot and service type, with the areas and routes that have no road.

    A stage that asks only the provider of a followed package asks nobody for a package that follows none.
    """
    lacking: dict[tuple[str, str], dict[str, set[str]]] = {}
    for kind, road in roads.items():
        if not any(_has_recipients(definition, stage, kind, asked) for stage in road):
            found = lacking.setdefault((kind.lot, kind.service_type), {"areas": set(), "routes": set()})
            found["areas"].add(Titles(definition).get_area(kind.area))
            found["routes"].add(kind.route)
    for (lot, service_type), found in lacking.items():
        areas, routes = _join(found["areas"]), _join(found["routes"])
        reason = f"no stage asks anybody for {service_type} of lot {lot} in {areas} (route {routes})"
        yield Contradiction(("sourcing",), f"{reason}; add a stage, or take these packages out of the lot")


def _has_recipients(definition: FrameworkDefinition, stage: AnyStage, kind: PackageKind, asked: AskedTiers) -> bool:
    if isinstance(stage, OpenList):
        return stage.members or stage.spot
    if stage.to.reach is Reach.NEIGHBOURS and not _has_neighbours(definition, kind.lot, kind.area):
        return False
    return bool(asked[stage.stage, kind.lot])


def _find_idle_tiers(definition: FrameworkDefinition, asked: AskedTiers) -> Iterator[Contradiction]:
    """Yields the tiers that no stage asks in a lot in which they exist."""
    busy = {tier for tiers in asked.values() for tier in tiers}
    for position, tier in enumerate(definition.tiers):
        if tier.tier not in busy:
            reason = "no stage asks this tier in a lot in which it exists"
            yield Contradiction(("tiers", position), f"{reason}; name it in a stage, or remove it")


def _find_missing_neighbours(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    for position, stage in enumerate(definition.sourcing):
        if isinstance(stage, OpenList) or stage.to.reach is not Reach.NEIGHBOURS:
            continue
        if not any(area.neighbours for area in definition.areas):
            place = ("sourcing", position, "to", "reach")
            yield Contradiction(place, "no area has neighbours; add them to areas, or ask the area's own providers")


def _find_empty_lots(definition: FrameworkDefinition, served: Set[LotKey]) -> Iterator[Contradiction]:
    for position, lot in enumerate(definition.lots):
        if lot.lot not in served:
            yield Contradiction(("lots", position), "serves no package; give it an area that is not outside")


def _has_neighbours(definition: FrameworkDefinition, key: LotKey, code: AreaCode) -> bool:
    """Returns whether the area has a neighbour in which the lot has places."""
    area, lot = definition.find_area(code), definition.find_lot(key)
    return area is not None and lot is not None and any(lot.has_area(each) for each in area.neighbours)


def _join(words: Set[str], most: int = 3) -> str:
    names = sorted(words)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
