"""Draws the roads of a definition: as Mermaid for Markdown, and as SVG for a page."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Final

from contracts.framework.definition import FrameworkDefinition
from contracts.framework.stages import AnyStage, MiniCompetition
from contracts.framework.titles import Titles
from contracts.review.road_groups import RoadGroup

NARROWEST_BOX: Final = 190
LETTER_WIDTH: Final = 8
"""Pixels of a bold letter, the widest ones apart."""
BOX_HEIGHT: Final = 54
GAP: Final = 56
ROW_HEIGHT: Final = 110
MARGIN: Final = 20
TITLE_HEIGHT: Final = 26


def draw_mermaid(definition: FrameworkDefinition, groups: Sequence[RoadGroup]) -> str:
    """Returns a Mermaid flowchart with one chain of stages for each road; each line ends with a line feed."""
    titles, lines = Titles(definition), ["flowchart LR"]
    for number, group in enumerate(groups, start=1):
        lines.append(f'    subgraph r{number} ["{number}. {_escape_label(titles.get_lot(group.lot))}"]')
        lines.append("        direction LR")
        nodes = [f"r{number}s{turn}" for turn in range(len(group.stages))]
        for node, stage in zip(nodes, group.stages, strict=True):
            lines.append(f'        {node}["{stage.stage}<br/>{stage.procedure}"]')
        steps = zip(group.stages, pairwise(nodes), strict=False)
        lines += [f"        {one} -->|{_name_failure(stage)}| {other}" for stage, (one, other) in steps]
        lines.append("    end")
    return "\n".join(lines) + "\n"


def _name_failure(stage: AnyStage) -> str:
    """Returns why the stage after this one follows."""
    return "no suitable bid" if isinstance(stage, MiniCompetition) else "nobody accepts"


def draw_svg(definition: FrameworkDefinition, groups: Sequence[RoadGroup]) -> str:
    """Returns an SVG picture with one row of boxes for each road; texts are escaped."""
    longest = max((len(group.stages) for group in groups), default=1)
    box_width = max((_measure(name) + 2 * MARGIN for group in groups for name in group.names), default=NARROWEST_BOX)
    box_width = max(box_width, NARROWEST_BOX)
    headings = [f"{number}. {Titles(definition).get_lot(group.lot)}" for number, group in enumerate(groups, start=1)]
    width = 2 * MARGIN + max([longest * box_width + (longest - 1) * GAP, *(_measure(each) for each in headings)])
    height = 2 * MARGIN + len(groups) * ROW_HEIGHT
    rows = [
        _draw_row(heading, group.stages, top=MARGIN + number * ROW_HEIGHT, box_width=box_width)
        for number, (heading, group) in enumerate(zip(headings, groups, strict=True))
    ]
    title = escape(f"Roads of {definition.title}, version {definition.version}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="sans-serif" '
        f'font-size="13">\n<title>{title}</title>\n'
        '<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L10 5L0 10z"/></marker></defs>\n' + "\n".join(rows) + "\n</svg>\n"
    )


def _measure(text: str) -> int:
    return len(text) * LETTER_WIDTH


def _draw_row(heading: str, stages: Sequence[AnyStage], *, top: int, box_width: int) -> str:
    parts = [f'<text x="{MARGIN}" y="{top + 14}" font-weight="bold">{escape(heading)}</text>']
    for turn, stage in enumerate(stages):
        left = MARGIN + turn * (box_width + GAP)
        parts.append(_draw_box(stage, left, top + TITLE_HEIGHT, box_width))
        if turn:
            middle = top + TITLE_HEIGHT + BOX_HEIGHT // 2
            parts.append(
                f'<path d="M{left - GAP} {middle}H{left - 2}" fill="none" stroke="#0b0c0c" marker-end="url(#arrow)"/>'
            )
    return "\n".join(parts)


def _draw_box(stage: AnyStage, left: int, top: int, width: int) -> str:
    middle = left + width // 2
    return (
        f'<rect x="{left}" y="{top}" width="{width}" height="{BOX_HEIGHT}" rx="4" fill="#f3f2f1" stroke="#0b0c0c"/>'
        f'<text x="{middle}" y="{top + 22}" text-anchor="middle" font-weight="bold">{escape(stage.stage)}</text>'
        f'<text x="{middle}" y="{top + 41}" text-anchor="middle">{escape(stage.procedure)}</text>'
    )


def _escape_label(title: str) -> str:
    """Writes what Mermaid would read as markup by number: a quote would end the label, `<b>` would be a tag."""
    return "".join(f"#{ord(letter)};" if letter in _MARKUP else letter for letter in title)


_MARKUP: Final = frozenset('"#;&<>`')
