"""What a person sees while the stack runs: one reading of everything, as a table or as a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from devstack.package_status import Place

_COLOURS = {Place.PLACED: "green", Place.OFFERED: "cyan", Place.EXHAUSTED: "yellow", Place.HELD: "yellow"}


@dataclass(frozen=True)
class Placed:
    """One of the newest placements."""

    area: str
    provider: str
    offers: int


@dataclass(frozen=True)
class Overview:
    """One reading."""

    posted: int
    to_post: int
    places: Mapping[Place, int]
    stages: Mapping[str, int]
    last_placed: Sequence[Placed]
    webhooks: int
    unverified: int
    declines: int
    calls: int
    latency_p50: float | None
    latency_p95: float | None

    def line(self) -> str:
        """Everything that matters, for a screen that only scrolls."""
        counted = ", ".join(f"{count} {place.value}" for place, count in self.places.items() if count)
        return f"posted {self.posted} of {self.to_post}; {counted or 'no package yet'}; {self.traffic()}"

    def traffic(self) -> str:
        seen = f"{self.webhooks} webhooks, {self.declines} declined, {self.calls} calls"
        if self.latency_p50 is None or self.latency_p95 is None:
            return seen
        return (
            f"{seen}; referral to webhook: half within {self.latency_p50:.0f} ms, 95% within {self.latency_p95:.0f} ms"
        )

    def table(self) -> Group:
        return Group(self._counts(), self._placements(), Text(self.traffic(), style="dim"))

    def _counts(self) -> Table:
        table = Table(
            title=f"Packages of care ({self.posted} of {self.to_post} posted in this run)", title_justify="left"
        )
        for place in self.places:
            table.add_column(place.value, justify="right", style=_COLOURS.get(place))
        table.add_row(*[str(count) for count in self.places.values()])
        table.caption = "in " + ", ".join(f"{stage}: {count}" for stage, count in self.stages.items()) or None
        table.caption = table.caption if self.stages else None
        return table

    def _placements(self) -> Table:
        table = Table("district", "placed with", "offers", title="Placed last", title_justify="left")
        for placed in self.last_placed:
            table.add_row(placed.area, placed.provider, str(placed.offers))
        return table
