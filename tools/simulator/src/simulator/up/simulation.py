"""A stack that is up, with everybody who acts on it: a council posts, an officer telephones, and somebody watches."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from devstack.json_lines import JsonLinesReader
from devstack.overview import Overview, RecentPlacement
from devstack.package_status import PackageTracker
from devstack.processes import Supervisor
from devstack.screen import Screen
from geography import ESSEX_DISTRICTS
from simulator.council import Council, Posted
from simulator.officer import Officer
from simulator.people import Person
from simulator.up.event_feed import follow
from simulator.up.latency import Latencies
from simulator.webhook_receivers import Received

_LOOKS_EVERY: Final = 0.5
_PLACEMENTS_SHOWN: Final = 8
_DISTRICTS: Final = {area.code: area.name or area.code for area in ESSEX_DISTRICTS}


@dataclass
class Running:
    """Everything that goes on while the stack is up."""

    kafka_bootstrap: str
    supervisor: Supervisor
    council: Council
    officer: Officer
    next_person: Callable[[], Person]
    received: JsonLinesReader[Received]
    to_post: int
    a_second: float
    on_real_time: bool = True
    """On a simulated clock the officer works when `calloff clock` moves it."""
    standing: PackageTracker = field(default_factory=lambda: PackageTracker(declines_since=datetime.now(UTC)))
    latencies: Latencies = field(default_factory=Latencies)

    async def go_on(self, screen: Screen, *, until: asyncio.Event) -> None:
        """Until the event is set; raises when one of the parts fails that must not."""
        parts = [
            self.supervisor.watch(),
            follow(self.kafka_bootstrap, self.standing),
            self._post(),
            self._show(screen),
        ]
        if self.on_real_time:
            parts.append(self.officer.work())
        tasks = [asyncio.create_task(part) for part in parts]
        ended = asyncio.create_task(until.wait())
        try:
            await _first_of(ended, *tasks)
        finally:
            for task in (ended, *tasks):
                task.cancel()
            await asyncio.gather(ended, *tasks, return_exceptions=True)
        self._read_receivers()

    async def _post(self) -> None:
        await self.council.post_steadily(
            self.next_person, count=self.to_post, a_second=self.a_second, posted=self._note_posted
        )
        await asyncio.Event().wait()

    def _note_posted(self, line: Posted) -> None:
        self.latencies.note_posted(line.package_id, line.posted_at)

    async def _show(self, screen: Screen) -> None:
        while True:
            self._read_receivers()
            screen.show_overview(self.overview())
            await asyncio.sleep(_LOOKS_EVERY)

    def _read_receivers(self) -> None:
        for line in self.received.read_new():
            self.latencies.note_received(line)

    def overview(self) -> Overview:
        return Overview(
            posted=len(self.latencies.posted),
            to_post=self.to_post,
            statuses=self.standing.count_by_status(),
            stages=self.standing.count_by_stage(),
            last_placed=[
                RecentPlacement(
                    _DISTRICTS.get(package.area, package.area),
                    self.standing.get_provider_name(package.provider_id),
                    package.offers,
                )
                for package in self.standing.find_last_placed(_PLACEMENTS_SHOWN)
            ],
            webhooks=self.latencies.webhooks,
            unverified=self.latencies.unverified,
            declines=self.standing.declines,
            calls=self.officer.calls,
            latency_p50=self.latencies.at(0.5),
            latency_p95=self.latencies.at(0.95),
        )


async def _first_of(ended: "asyncio.Task[bool]", *tasks: "asyncio.Task[None]") -> None:
    done, _ = await asyncio.wait({ended, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
