"""The report of a rehearsal: a table, JSON and charts."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from simulator.rehearsal.figures import Figures

_ROWS: Final[Mapping[str, str]] = {
    "referrals": "Referrals",
    "served": "served by the definition",
    "placed": "placed",
    "not_placed": "taken by nobody",
    "hours_to_place_median": "Hours to place, median",
    "hours_to_place_p90": "Hours to place, 90 of 100 within",
    "offers_per_package": "Offers per package",
    "weekly_cost_mean": "Weekly cost of a placed package, £",
    "fixed_cost_mean": "Cost paid once, £",
    "gini_of_placed_hours": "Spread of hours over providers (Gini, 0 is equal)",
    "providers_placed": "Providers with a placement",
}
_COLOURS: Final = ("#1d70b8", "#d4351c")
_WIDTH: Final = 640
_BAR_HEIGHT: Final = 18
_LABEL_WIDTH: Final = 190
_LONGEST_BAR: Final = 360


def list_rows(results: Sequence[Figures]) -> Sequence[tuple[str, ...]]:
    """Returns the rows of the table: a name, then one value for each definition."""
    rows = [(title, *(_format_value(getattr(each, name)) for each in results)) for name, title in _ROWS.items()]
    shares = [
        (f"Placed by {tier}", *(f"{100 * each.placed_share_by_tier.get(tier, 0):.1f}%" for each in results))
        for tier in list_tiers(results)
    ]
    return [*rows[:4], *shares, *rows[4:]]


def list_tiers(results: Sequence[Figures]) -> Sequence[str]:
    return list(dict.fromkeys(tier for each in results for tier in each.placed_share_by_tier))


def draw_charts(results: Sequence[Figures]) -> str:
    """Returns an SVG picture: placed share by tier, hours to place, offers per package, spread."""
    charts = [
        (
            "Placed share by tier, %",
            [(tier, [_percent(each, tier) for each in results]) for tier in list_tiers(results)],
        ),
        ("Hours to place", [("median", [each.hours_to_place_median or 0 for each in results])]),
        ("Offers per package", [("mean", [each.offers_per_package for each in results])]),
        ("Spread of placed hours (Gini)", [("Gini", [each.gini_of_placed_hours or 0 for each in results])]),
    ]
    parts, top = list(_draw_legend(results)), 60
    for title, bars in charts:
        parts.append(f'<text x="10" y="{top}" font-weight="bold">{escape(title)}</text>')
        drawn, top = _draw_bars(bars, top + 10)
        parts += drawn
        top += 34
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" font-family="sans-serif" font-size="13" '
        'role="img">\n<title>Rehearsal of two definitions</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _percent(figures: Figures, tier: str) -> float:
    return round(100 * figures.placed_share_by_tier.get(tier, 0), 1)


def _draw_legend(results: Sequence[Figures]) -> Iterable[str]:
    for number, each in enumerate(results):
        left = 10 + number * 310
        yield f'<rect x="{left}" y="12" width="14" height="14" fill="{_COLOURS[number]}"/>'
        yield f'<text x="{left + 20}" y="24">{escape(f"{each.framework} v{each.version}")}</text>'


def _draw_bars(bars: Sequence[tuple[str, Sequence[float]]], top: int) -> tuple[list[str], int]:
    highest = max((value for _, values in bars for value in values), default=0) or 1
    parts: list[str] = []
    for label, values in bars:
        parts.append(f'<text x="10" y="{top + 16}">{escape(label)}</text>')
        for number, value in enumerate(values):
            width = round(_LONGEST_BAR * value / highest)
            y = top + number * (_BAR_HEIGHT + 2)
            parts.append(
                f'<rect x="{_LABEL_WIDTH}" y="{y}" width="{width}" height="{_BAR_HEIGHT}" fill="{_COLOURS[number]}"/>'
                f'<text x="{_LABEL_WIDTH + width + 6}" y="{y + 14}">{value:g}</text>'
            )
        top += len(values) * (_BAR_HEIGHT + 2) + 8
    return parts, top


def _format_value(value: object) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
