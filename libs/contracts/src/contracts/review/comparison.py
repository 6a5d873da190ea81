"""Compares two definitions and says what changes for whom."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, PackageKind
from contracts.review.changes import Change
from contracts.review.kinds import describe_kinds, list_kinds
from contracts.review.life import describe_life
from contracts.review.market import format_rates, name_line
from contracts.review.rules import describe_tier
from contracts.review.sentences import describe_conditions, describe_stage
from contracts.review.word_comparison import compare_words

_NOT_COMPARED = frozenset({"stage", "note", "when"})


def compare_definitions(before: FrameworkDefinition, after: FrameworkDefinition) -> Sequence[Change]:
    """Returns the changes, those of the roads first; empty if nothing changes for anybody."""
    return (
        *_compare_roads(before, after),
        *_compare_stages(before, after),
        *_compare_tiers(before, after),
        *_compare_prices(before, after),
        *compare_words(before, after),
        *_compare_brokerage(before, after),
        *_compare_life(before, after),
    )


def render_comparison(before: FrameworkDefinition, after: FrameworkDefinition) -> str:
    """Returns the changes as Markdown."""
    names = [f"{each.framework} version {each.version}" for each in (before, after)]
    changes = compare_definitions(before, after)
    lines = [f"- **{each.about}**: {each.text}{each.sentence_of_concern}" for each in changes]
    return f"# From {names[0]} to {names[1]}\n\n" + ("\n".join(lines) if lines else "Nothing changes.") + "\n"


def _compare_roads(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    one, other = _name_roads(before), _name_roads(after)
    changed: dict[tuple[str | None, str | None], list[PackageKind]] = {}
    for kind in dict.fromkeys((*one, *other)):
        roads = one.get(kind), other.get(kind)
        if roads[0] != roads[1]:
            changed.setdefault(roads, []).append(kind)
    for (old, new), kinds in changed.items():
        definition = before if new is None else after
        yield Change("Road", _describe_road_change(old, new), describe_kinds(definition, kinds))


def _name_roads(definition: FrameworkDefinition) -> Mapping[PackageKind, str]:
    """Returns the roads by kind, urgency left out: it follows from the route."""
    return {
        replace(kind, urgent=False): " → ".join(stage.stage for stage in definition.list_road(kind)) or "no stage"
        for kind in list_kinds(definition)
    }


def _describe_road_change(one: str | None, other: str | None) -> str:
    if one is None:
        return f"these packages are newly served: {other}."
    if other is None:
        return f"these packages are not served any more; their road was {one}."
    return f"{one} becomes {other}."


def _compare_stages(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    """Yields what changes in a stage that both have."""
    old_stages = {stage.stage: stage for stage in before.sourcing}
    for stage in after.sourcing:
        if (old := old_stages.get(stage.stage)) is not None:
            yield from _compare_stage(before, after, old, stage)


def _compare_stage(
    before: FrameworkDefinition, after: FrameworkDefinition, old: AnyStage, new: AnyStage
) -> Iterator[Change]:
    """Yields the sentences that differ; if none does, the settings that differ and that no sentence names."""
    kinds = [kind for kind in list_kinds(after) if new in after.list_road(kind)]
    concerns = describe_kinds(after, kinds) if kinds else "nobody"
    gone, added = _list_differing(describe_stage(before, old), describe_stage(after, new))
    settings = _list_differing_settings(old, new)
    if gone or added:
        yield Change(f"Stage {new.stage}", f"was: {_join(gone)} Now: {_join(added)}", concerns)
    elif settings:
        yield Change(f"Stage {new.stage}", f"{', '.join(settings)} changed.", concerns)
    conditions = describe_conditions(before, old.when), describe_conditions(after, new.when)
    if conditions[0] != conditions[1]:
        meant = [each or "all packages" for each in conditions]
        yield Change(f"Stage {new.stage}", f"was meant for {meant[0]}, now for {meant[1]}.")


def _list_differing_settings(old: AnyStage, new: AnyStage) -> Sequence[str]:
    one, other = old.model_dump(exclude=set(_NOT_COMPARED)), new.model_dump(exclude=set(_NOT_COMPARED))
    return [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]


def _compare_tiers(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    for tier in after.tiers:
        old = before.find_tier(tier.tier)
        if old is None:
            continue
        one, other = "; ".join(describe_tier(before, old)), "; ".join(describe_tier(after, tier))
        if one != other:
            yield Change(tier.title, f"was: {one}. Now: {other}.", "its providers and applicants")


def _compare_prices(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    one, other = _list_prices(before), _list_prices(after)
    concerns = "offers made from the version's first day on"
    for key in dict.fromkeys((*one, *other)):
        if one.get(key) != other.get(key):
            text = f"{one.get(key, 'no price')} becomes {other.get(key, 'no price')}."
            yield Change(f"Price of {key}", text, concerns)
    if before.prices.price_list != after.prices.price_list:
        yield Change("Price list", f"{before.prices.price_list} becomes {after.prices.price_list}.")


def _list_prices(definition: FrameworkDefinition) -> Mapping[str, str]:
    return {name_line(definition, line): format_rates(definition, line) for line in definition.prices.matrix}


def _compare_brokerage(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    one, other = before.brokerage, after.brokerage
    hours = [
        f"{each.opens:%H:%M} to {each.closes:%H:%M} on {', '.join(each.days)} ({each.timezone})"
        for each in (one, other)
    ]
    if hours[0] != hours[1]:
        yield Change(
            "Brokerage time", f"{hours[0]} becomes {hours[1]}.", "every deadline of a package that is not urgent"
        )
    overrides = {(each.day, each.closed) for each in one.overrides} ^ {
        (each.day, each.closed) for each in other.overrides
    }
    closed = set(one.bank_holidays) ^ set(other.bank_holidays) | {day for day, _ in overrides}
    if closed:
        days = ", ".join(day.isoformat() for day in sorted(closed))
        yield Change("Bank holidays", f"{days} count differently.", "deadlines on these days")


def _compare_life(before: FrameworkDefinition, after: FrameworkDefinition) -> Iterator[Change]:
    gone, added = _list_differing(list(describe_life(before)), list(describe_life(after)))
    if gone or added:
        yield Change("Life of the framework", f"was: {_join(gone)} Now: {_join(added)}")


def _list_differing(one: Sequence[str], other: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Returns the sentences that only the first has, and those that only the second has."""
    return [each for each in one if each not in other], [each for each in other if each not in one]


def _join(sentences: Sequence[str]) -> str:
    return " ".join(sentences) or "(nothing)."
