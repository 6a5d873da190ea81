"""The simulation on a running stack: councils post, officers work, and the screen shows the status."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from contracts.framework.titles import Titles
from contracts.ids import AreaCode
from devstack.json_lines import JsonLinesReader
from devstack.overview import Overview, RecentPlacement
from devstack.package_status import PackageTracker
from devstack.processes import Supervisor
from devstack.screen import Screen
from service_runtime.kafka.connection import KafkaConnection
from simulator.council import Council, PostedReferral
from simulator.definitions import load_definition
from simulator.officer import Officer
from simulator.person_factory import Person
from simulator.up.event_feed import follow_events
from simulator.up.latency import LatencyTracker
from simulator.webhook_receivers import WebhookLogEntry

_REFRESH_INTERVAL: Final = 0.5
_PLACEMENTS_SHOWN: Final = 8


@dataclass(frozen=True)
class SimulatedCouncil:
    """One council: its system, its officers, the adults it refers, and its share of the referrals."""

    key: str
    system: Council
    officer: Officer
    next_person: Callable[[], Person]
    to_post: int
    per_second: float


@dataclass
class RunningSimulation:
    """The simulated councils and officers, and the display of the running stack."""

    kafka: KafkaConnection
    supervisor: Supervisor
    councils: Sequence[SimulatedCouncil]
    received: JsonLinesReader[WebhookLogEntry]
    uses_real_time: bool = True
    """On a simulated clock the officer works when `calloff clock` advances it."""
    tracker: PackageTracker = field(default_factory=lambda: PackageTracker(declines_since=datetime.now(UTC)))
    latencies: LatencyTracker = field(default_factory=LatencyTracker)

    async def run(self, screen: Screen, *, stop: asyncio.Event) -> None:
        """Run until `stop` is set. Raises the error of a task that fails."""
        parts = [
            self.supervisor.watch(),
            follow_events(self.kafka, self.tracker),
            self._post(),
            self._show(screen),
        ]
        if self.uses_real_time:
            parts += [each.officer.run() for each in self.councils]
        tasks = [asyncio.create_task(part) for part in parts]
        ended = asyncio.create_task(stop.wait())
        try:
            await _wait_for_first(ended, *tasks)
        finally:
            for task in (ended, *tasks):
                task.cancel()
            await asyncio.gather(ended, *tasks, return_exceptions=True)
        self._read_receivers()

    async def _post(self) -> None:
        posting = [
            each.system.post_steadily(
                each.next_person, count=each.to_post, per_second=each.per_second, on_posted=self._record_posted
            )
            for each in self.councils
        ]
        await asyncio.gather(*posting)
        await asyncio.Event().wait()

    def _record_posted(self, entry: PostedReferral) -> None:
        self.latencies.record_posted(entry.package_id, entry.posted_at)

    async def _show(self, screen: Screen) -> None:
        while True:
            self._read_receivers()
            screen.show_overview(self.build_overview())
            await asyncio.sleep(_REFRESH_INTERVAL)

    def _read_receivers(self) -> None:
        for line in self.received.read_new():
            self.latencies.record_received(line)

    @property
    def refused(self) -> int:
        return sum(each.system.refused for each in self.councils)

    def build_overview(self) -> Overview:
        titles = [Titles(load_definition(each.key)) for each in self.councils]
        return Overview(
            posted=len(self.latencies.posted),
            to_post=sum(each.to_post for each in self.councils),
            statuses=self.tracker.count_by_status(),
            stages=self.tracker.count_by_stage(),
            last_placed=[
                RecentPlacement(
                    _get_area_name(titles, package.area),
                    self.tracker.get_provider_name(package.provider_id),
                    package.offers,
                )
                for package in self.tracker.find_last_placed(_PLACEMENTS_SHOWN)
            ],
            webhooks=self.latencies.webhooks,
            unverified=self.latencies.unverified,
            declines=self.tracker.declines,
            calls=sum(each.officer.calls for each in self.councils),
            latency_p50=self.latencies.get_percentile(0.5),
            latency_p95=self.latencies.get_percentile(0.95),
        )


def _get_area_name(titles: Sequence[Titles], area: str) -> str:
    """Return the area's name in the first definition that has the area; its code if none has it."""
    code = AreaCode(area)
    return next((name for each in titles if (name := each.get_area(code)) != code), area)


async def _wait_for_first(ended: "asyncio.Task[bool]", *tasks: "asyncio.Task[None]") -> None:
    done, _ = await asyncio.wait({ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
