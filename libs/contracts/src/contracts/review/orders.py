"""Finds orders and groups of ranked lists that never decide, or decide otherwise than written."""

from collections.abc import Iterator

from contracts.contradictions import Contradiction
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, MakesOffers, OfferingStage, Reach
from contracts.values import Order

Path = tuple[str | int, ...]


def find_order_contradictions(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    """Yields orders after a draw, ranked lists of neighbouring areas, and groups that no package gets to."""
    for position, stage in enumerate(definition.sourcing):
        if isinstance(stage, OfferingStage):
            yield from _find_wrong_order(stage, ("sourcing", position))
    yield from _find_useless_groups(definition)


def _find_wrong_order(stage: MakesOffers, place: Path) -> Iterator[Contradiction]:
    if Order.DRAW in stage.order[:-1]:
        reason = "a draw leaves no tie, so that nothing after it decides"
        yield Contradiction((*place, "order", stage.order.index(Order.DRAW)), f"{reason}; write draw last")
    if Order.RANKED_LIST in stage.order and stage.to.reach is Reach.NEIGHBOURS:
        reason = "a ranked list has the providers of one area, not those of its neighbours"
        yield Contradiction((*place, "order"), f"{reason}; order them by number, price, rotation or draw")


def _find_useless_groups(definition: FrameworkDefinition) -> Iterator[Contradiction]:
    groups = definition.list_groups
    are_for_all = [not group.service_types and not group.needs for group in groups]
    if True in are_for_all[:-1]:
        first = are_for_all.index(True)
        reason = f"no package gets to this group, because {groups[first].group} above matches all packages"
        yield Contradiction(("list_groups", first + 1), f"{reason}; write {groups[first].group} last")
    if groups and not any(Order.RANKED_LIST in _list_order(stage) for stage in definition.sourcing):
        yield Contradiction(("list_groups", 0), "no stage asks in the order of a ranked list; remove the groups")


def _list_order(stage: AnyStage) -> tuple[Order, ...]:
    return stage.order if isinstance(stage, OfferingStage) else ()
