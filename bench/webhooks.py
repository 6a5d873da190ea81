"""How fast full queues of webhooks reach their endpoints: signed, logged, in order per endpoint and package."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Final
from uuid import UUID

from bench.databases import connected
from bench.figures import Line, NotMeasured, fewer
from bench.listening import Came
from bench.market import eager_market
from bench.scene import Scene
from contracts.catalogue import PACKAGES
from contracts.events.packages import OfferEnd
from contracts.ids import uuid7
from devstack.names import REGISTRY
from service_runtime.webhooks.deliveries import Webhook, body_of

_GOAL: Final = 1_500
_COUNT: Final = 5_500
_WARM_UP: Final = 500
"""Of these; the service has just started."""
_PACKAGES: Final = 1_500
_KIND: Final = "offer.withdrawn"
"""Nothing follows from its delivery: what is measured is the sending."""
_GIVE_UP_AFTER: Final = timedelta(hours=1)
_PATIENCE: Final = 60.0
_DATABASE: Final = "provider_registry"
_COLUMNS: Final = (
    *("id", "owner", "topic", "key", "kind", "about", "council", "caused_by", "traceparent", "body"),
    *("queued_at", "next_attempt_at", "give_up_after"),
)
_LOGGED: Final = """
    SELECT count(*) FROM deliveries JOIN delivery_attempts ON delivery_id = deliveries.id
    WHERE deliveries.id = ANY($1) AND outcome = 'delivered' AND finished_at IS NOT NULL AND status = 204
"""


@dataclass(frozen=True)
class Queued:
    """One webhook, as it is written into the queue."""

    id: UUID
    owner: UUID
    package_id: UUID
    offer_id: UUID

    def row(self, at: datetime) -> tuple[object, ...]:
        """As `_COLUMNS` has it."""
        owner, about = str(self.owner), str(self.offer_id)
        data = {"offer_id": about, "package_id": str(self.package_id), "reason": OfferEnd.PACKAGE_WITHDRAWN.value}
        body = body_of(Webhook(owner, _KIND, about, data, _GIVE_UP_AFTER), at=at)
        told = (self.id, owner, PACKAGES, str(self.package_id), _KIND, about, "essex", "bench", "", body)
        return (*told, at, at, _GIVE_UP_AFTER)


@dataclass(frozen=True)
class Sent:
    a_second: float
    count: int

    def numbers(self) -> Mapping[str, object]:
        return {"webhooks_per_s": round(self.a_second)}

    def lines(self) -> Sequence[Line]:
        what = f"webhooks, {self.count:,}, signed, logged, in order per endpoint and package"
        return (Line(what, f"≥ {_GOAL:,} a second", f"{self.a_second:,.0f} a second", self.a_second >= _GOAL),)


async def measure(scene: Scene, share: float = 1.0) -> Sent:
    """The registry stands still while its queue is filled; then it starts."""
    queued = list(islice(_queue(), fewer(_COUNT, share)))
    forged, heard = scene.listening.forged, len(scene.listening.other)
    async with scene.without([REGISTRY]):
        await _fill(scene, queued)
    came = await _until_all_came(scene, queued, heard)
    if scene.listening.forged > forged:
        raise NotMeasured("webhooks did not carry their endpoint's signature")
    if astray := _out_of_order(queued, came):
        message = f"webhooks about package {astray} did not come in their order"
        raise NotMeasured(message)
    await _until_logged(scene, queued)
    first = fewer(_WARM_UP, share)
    return Sent((len(came) - first) / (came[-1].at - came[first - 1].at), len(came) - first)


def _queue() -> Iterator[Queued]:
    """One of each package after the other; a package's endpoint is always the same."""
    now, providers = datetime.now(UTC), [each.provider_id for each in eager_market().providers]
    packages = [uuid7(now) for _ in range(_PACKAGES)]
    for package, provider in cycle(list(zip(packages, cycle(providers), strict=False))):
        yield Queued(uuid7(now), provider, package, uuid7(now))


async def _fill(scene: Scene, queued: Sequence[Queued]) -> None:
    now = datetime.now(UTC)
    async with connected(scene.stage.around.postgres, _DATABASE) as connection:
        rows = (each.row(now) for each in queued)
        await connection.copy_records_to_table("deliveries", records=rows, columns=_COLUMNS)


async def _until_all_came(scene: Scene, queued: Sequence[Queued], heard: int) -> list[Came]:
    """Each for the first time, in the order in which they came."""
    wanted, give_up = {str(each.id) for each in queued}, time.monotonic() + _PATIENCE
    came: dict[str, Came] = {}
    while len(came) < len(wanted):
        if time.monotonic() > give_up:
            message = f"{len(came)} of {len(wanted)} webhooks came within a minute"
            raise NotMeasured(message)
        await asyncio.sleep(0.1)
        for each in scene.listening.other[heard:]:
            if each.id in wanted:
                came.setdefault(each.id, each)
        heard = len(scene.listening.other)
    return list(came.values())


def _out_of_order(queued: Sequence[Queued], came: Sequence[Came]) -> UUID | None:
    """The first package whose webhooks overtook each other."""
    place = {each.id: number for number, each in enumerate(came)}
    places: dict[UUID, list[int]] = defaultdict(list)
    for each in queued:
        places[each.package_id].append(place[str(each.id)])
    return next((package for package, numbers in places.items() if numbers != sorted(numbers)), None)


async def _until_logged(scene: Scene, queued: Sequence[Queued]) -> None:
    """The log follows the answers by a moment."""
    ids, give_up = [each.id for each in queued], time.monotonic() + _PATIENCE
    async with connected(scene.stage.around.postgres, _DATABASE) as connection:
        while (logged := await connection.fetchval(_LOGGED, ids)) < len(queued):
            if time.monotonic() > give_up:
                message = f"{logged} of {len(queued)} webhooks were in the log a minute after they came"
                raise NotMeasured(message)
            await asyncio.sleep(0.2)
