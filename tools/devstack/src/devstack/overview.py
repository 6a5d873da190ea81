"""The state of the running stack at one moment, as tables or as a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from devstack.package_status import PackageStatus

_COLOURS = {
    PackageStatus.PLACED: "green",
    PackageStatus.OFFERED: "cyan",
    PackageStatus.EXHAUSTED: "yellow",
    PackageStatus.HELD: "yellow",
}


@dataclass(frozen=True)
class RecentPlacement:
    """One of the latest placements."""

    area: str
    provider: str
    offers: int


@dataclass(frozen=True)
class Overview:
    """Counts and latencies at one moment; latencies in milliseconds."""

    posted: int
    to_post: int
    statuses: Mapping[PackageStatus, int]
    stages: Mapping[str, int]
    last_placed: Sequence[RecentPlacement]
    webhooks: int
    unverified: int
    declines: int
    calls: int
    latency_p50: float | None
    latency_p95: float | None

    def render_line(self) -> str:
        """The main counts in one line, for plain output."""
        counted = ", ".join(f"{count} {place.value}" for place, count in self.statuses.items() if count)
        return f"posted {self.posted} of {self.to_post}; {counted or 'no packages yet'}; {self.describe_traffic()}"

    def describe_traffic(self) -> str:
        seen = f"{self.webhooks} webhooks, {self.declines} declined, {self.calls} calls"
        if self.latency_p50 is None or self.latency_p95 is None:
            return seen
        return (
            f"{seen}; referral to webhook: half within {self.latency_p50:.0f} ms, 95% within {self.latency_p95:.0f} ms"
        )

    def render_tables(self) -> Group:
        return Group(
            self._build_status_table(), self._build_placement_table(), Text(self.describe_traffic(), style="dim")
        )

    def _build_status_table(self) -> Table:
        table = Table(
            title=f"Packages of care ({self.posted} of {self.to_post} posted in this run)", title_justify="left"
        )
        for place in self.statuses:
            table.add_column(place.value, justify="right", style=_COLOURS.get(place))
        table.add_row(*[str(count) for count in self.statuses.values()])
        table.caption = "in " + ", ".join(f"{stage}: {count}" for stage, count in self.stages.items()) or None
        table.caption = table.caption if self.stages else None
        return table

    def _build_placement_table(self) -> Table:
        table = Table("district", "placed with", "offers", title="Latest placements", title_justify="left")
        for placed in self.last_placed:
            table.add_row(placed.area, placed.provider, str(placed.offers))
        return table
