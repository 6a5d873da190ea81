"""Explains a definition stage by stage in plain English, as Markdown with a drawing of its roads."""

from collections.abc import Iterable, Iterator

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import PackageKind
from contracts.framework.titles import Titles
from contracts.review.drawing import draw_mermaid
from contracts.review.kinds import describe_kinds
from contracts.review.life import describe_life
from contracts.review.market import describe_areas, describe_list_groups, describe_prices
from contracts.review.phrases import join_words
from contracts.review.road_groups import RoadGroup, group_roads
from contracts.review.rules import describe_tier
from contracts.review.sentences import describe_conditions, describe_stage


def explain_definition(definition: FrameworkDefinition) -> str:
    """Returns the explanation as Markdown."""
    groups = group_roads(definition)
    tiers = (f"{tier.title}: {'; '.join(describe_tier(definition, tier))}." for tier in definition.tiers)
    assumed = (f"{each.setting}: {each.because}" for each in definition.assumed)
    parts = [
        f"# {definition.title} ({definition.framework}, version {definition.version})",
        " ".join(describe_life(definition)),
        f"Source: {definition.source}",
        *_write_section("Areas", describe_areas(definition)),
        *_write_section("Who may join", tiers),
        *_write_section("Ranked lists", describe_list_groups(definition), bullet=""),
        *_write_section("Prices", describe_prices(definition)),
        "## Roads",
        "```mermaid\n" + draw_mermaid(definition, groups) + "```",
        *(_explain_group(definition, group, number) for number, group in enumerate(groups, start=1)),
        *_write_section("Assumed", assumed),
    ]
    return "\n\n".join(parts) + "\n"


def _write_section(heading: str, lines: Iterable[str], *, bullet: str = "- ") -> Iterator[str]:
    """Yields a heading and its list; nothing for an empty list."""
    if text := "\n".join(f"{bullet}{line}" for line in lines):
        yield f"## {heading}"
        yield text


def _explain_group(definition: FrameworkDefinition, group: RoadGroup, number: int) -> str:
    titles, sample = Titles(definition), group.kinds[0]
    sentence = (
        f"A referral for {_lower(titles.get_service_type(sample.service_type))} in {titles.get_area(sample.area)}"
        f" ({_name_route(titles, sample)}{_name_needs(titles, sample)}):"
    )
    steps = [_explain_step(definition, group, turn) for turn in range(len(group.stages))]
    heading = f"### {number}. Lot {titles.get_lot(group.lot)}: {' → '.join(group.names) or 'no stage'}"
    return "\n\n".join([heading, f"For {describe_kinds(definition, group.kinds)}.", sentence, "\n".join(steps)])


def _explain_step(definition: FrameworkDefinition, group: RoadGroup, turn: int) -> str:
    """Explains one stage of a road; its lot stands in the heading of the road."""
    stage = group.stages[turn]
    conditions = describe_conditions(definition, stage.when.model_copy(update={"lots": ()}))
    sentences = describe_stage(definition, stage, ends_road=turn == len(group.stages) - 1)
    note = [f"({stage.note.rstrip('.')}.)"] if stage.note else []
    brackets = f" ({conditions})" if conditions else ""
    return f"{turn + 1}. **{stage.stage}**{brackets}: {' '.join([*sentences, *note])}"


def _name_route(titles: Titles, kind: PackageKind) -> str:
    band = f", travel band {kind.travel_band}" if kind.travel_band is not None else ""
    return f"{_lower(titles.get_route(kind.route))}{', urgent' if kind.urgent else ''}{band}"


def _name_needs(titles: Titles, kind: PackageKind) -> str:
    return f", needs {join_words([_lower(titles.get_need(need)) for need in kind.needs])}" if kind.needs else ""


def _lower(title: str) -> str:
    return title[0].lower() + title[1:] if title[1:2].islower() else title
