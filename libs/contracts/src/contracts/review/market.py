"""Describes the areas, the groups of ranked lists and the prices of a definition, a line each."""

from collections.abc import Iterator

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.prices import MatrixLine
from contracts.framework.titles import Titles
from contracts.framework.words import Area, ListGroup
from contracts.review.phrases import format_count, join_words


def describe_areas(definition: FrameworkDefinition) -> Iterator[str]:
    """Yields the areas, those with the same properties in one line, and then the outward codes of the travel bands."""
    alike: dict[str, list[str]] = {}
    for area in definition.areas:
        alike.setdefault("; ".join(_describe_area(definition, area)), []).append(area.name)
    for properties, names in alike.items():
        yield f"{join_words(names)}: {properties}" if properties else join_words(names)
    for band in definition.travel_bands:
        yield f"Outward codes of travel band {band.band} ({band.title}): {', '.join(band.outward_codes) or 'none'}"


def describe_list_groups(definition: FrameworkDefinition) -> Iterator[str]:
    """Yields the packages that have ranked lists of their own, in the order in which the groups apply."""
    for number, group in enumerate(definition.list_groups, start=1):
        yield f"{number}. {group.title}: {_describe_members(definition, group)}"


def describe_prices(definition: FrameworkDefinition) -> Iterator[str]:
    for line in definition.prices.matrix:
        yield f"{name_line(definition, line)}: {format_rates(definition, line)}"


def name_line(definition: FrameworkDefinition, line: MatrixLine) -> str:
    """`Extra care (on-site-care) in band rural`."""
    band = f" in band {line.band}" if line.band is not None else ""
    item = f" ({line.item})" if line.item is not None else ""
    return f"{Titles(definition).get_service_type(line.service_type)}{item}{band}"


def format_rates(definition: FrameworkDefinition, line: MatrixLine) -> str:
    """`£24.10, £24.90 for each hour`, `£20.50 up to £24.50 for each hour`."""
    upto = f" up to £{line.highest:,}" if line.highest is not None else ""
    rates = ", ".join(f"£{rate:,}" for rate in (line.rate, *line.further_rates))
    shared = "" if line.each_carer else ", however many carers"
    return f"{rates}{upto} for each {Titles(definition).get_unit(line.unit)}{shared}"


def _describe_area(definition: FrameworkDefinition, area: Area) -> Iterator[str]:
    if area.outside is not None:
        yield f"not served, {area.outside}"
    if area.cluster is not None:
        yield f"cluster {area.cluster}"
    if area.neighbours:
        yield f"neighbours {join_words([Titles(definition).get_area(each) for each in area.neighbours])}"
    if area.fewest_providers is not None:
        yield f"an alarm below {format_count(area.fewest_providers, 'active provider')}"
    if area.price_band is not None:
        yield f"price band {area.price_band}"
    if area.travel_band is not None:
        yield f"travel band {area.travel_band}"


def _describe_members(definition: FrameworkDefinition, group: ListGroup) -> str:
    titles = Titles(definition)
    types = " or ".join(titles.get_service_type(each) for each in group.service_types)
    needs = " or ".join(titles.get_need(each) for each in group.needs)
    parts = [types, f"a need of {needs}" if needs else ""]
    return " with ".join(part for part in parts if part) or "every other package"
