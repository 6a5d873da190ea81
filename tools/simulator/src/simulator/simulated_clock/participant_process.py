"""Simulated people in a process of their own, who take part over the same two routes as a service does."""

import asyncio
import hmac
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from service_runtime.clock import EVERY_CLASS, SimulatedClock
from service_runtime.simulated_clock import ACTIVITY, CLOCK, KEY_HEADER, Activity, Order
from simulator.simulated_clock.agenda import Agenda

_AT_ONCE: Final = 1_000
"""Turns at one instant."""


class Crowd:
    """People with agendas on one clock; when it has been set, those whose class is released act one after the other."""

    def __init__(self, name: str, clock: SimulatedClock, people: Sequence[Agenda]) -> None:
        self.name = name
        self._clock = clock
        self._people = tuple(people)
        self._acts = 0
        self._acting: asyncio.Task[None] | None = None

    async def activity(self) -> Activity:
        """Raises what somebody failed with who acted."""
        is_acting = self._acting is not None and not self._acting.done()
        if self._acting is not None and not is_acting:
            self._acting.result()
        horizon = self._clock.horizon
        waking = [(int(person.precedence), person.next_wake()) for person in self._people]
        due = {precedence for precedence, at in waking if at is not None and at <= horizon.instant}
        return Activity(
            now=horizon.instant,
            released=horizon.released,
            counter=self._acts,
            requests=sum(person.working for person in self._people) + int(is_acting),
            timers=len([each for each in due if each <= horizon.released]),
            next_wake=min((at for _, at in waking if at is not None and at > horizon.instant), default=None),
            due_classes=tuple(sorted(each for each in due if each > horizon.released)),
        )

    async def set_clock(self, order: Order) -> Activity:
        """Raises ValueError for an instant in the past."""
        released = EVERY_CLASS if order.release is None else order.release
        self._clock.set_to(order.now, released=released)
        if self._acting is None or self._acting.done():
            self._acting = asyncio.create_task(self._act_all())
        return await self.activity()

    async def _act_all(self) -> None:
        for _ in range(_AT_ONCE):
            if not await self._act(self._clock.horizon.released):
                return

    async def _act(self, released: int) -> int:
        now, acts = self._clock.now(), 0
        for person in sorted(self._people, key=lambda each: (each.precedence, each.name)):
            at = person.next_wake()
            if person.precedence <= released and at is not None and at <= now:
                acts += await person.act(now)
        self._acts += acts
        return acts

    def routes(self, key: str) -> list[web.RouteDef]:
        """For callers who know `key`; served on the loopback address only."""

        async def tell(request: web.Request) -> web.Response:
            _check(request, key)
            return _json(await self.activity())

        async def obey(request: web.Request) -> web.Response:
            _check(request, key)
            try:
                return _json(await self.set_clock(Order.model_validate_json(await request.read())))
            except ValidationError as error:
                raise web.HTTPUnprocessableEntity(text=f"{error.error_count()} fields are not understood") from error
            except ValueError as error:
                raise web.HTTPConflict(text=str(error)) from error

        return [web.get(ACTIVITY, tell), web.post(CLOCK, obey)]


def _check(request: web.Request, key: str) -> None:
    if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), key.encode()):
        raise web.HTTPNotFound


def _json(activity: Activity) -> web.Response:
    return web.Response(text=activity.model_dump_json(), content_type="application/json")
