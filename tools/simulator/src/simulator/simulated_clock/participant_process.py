"""Participants in a separate process, which the driver controls over the same two routes as a service."""

import asyncio
import hmac
from collections.abc import Sequence
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from contracts.precedence import LAST_PRECEDENCE
from service_runtime.simulated_clock.clock import SimulatedClock
from service_runtime.simulated_clock.messages import ACTIVITY_PATH, CLOCK_PATH, KEY_HEADER, Activity, ClockSetting
from simulator.simulated_clock.task_schedule import TaskSchedule

_MAX_TURNS: Final = 1_000
"""Limit of turns at one instant."""


class ParticipantProcess:
    """Task schedules on one clock. When the clock is set, due schedules of released precedences act in turn."""

    def __init__(self, name: str, clock: SimulatedClock, schedules: Sequence[TaskSchedule]) -> None:
        self.name = name
        self._clock = clock
        self._schedules = tuple(schedules)
        self._acts = 0
        self._acting: asyncio.Task[None] | None = None

    async def read_activity(self) -> Activity:
        """Report the current activity. Raises the error of a failed act."""
        is_acting = self._acting is not None and not self._acting.done()
        if self._acting is not None and not is_acting:
            self._acting.result()
        limit = self._clock.get_due_limit()
        waking = [(int(person.precedence), person.get_next_due_at()) for person in self._schedules]
        due = {precedence for precedence, at in waking if at is not None and at <= limit.instant}
        return Activity(
            now=limit.instant,
            max_precedence=limit.max_precedence,
            counter=self._acts,
            requests=sum(person.running_tasks for person in self._schedules) + int(is_acting),
            timers=len([each for each in due if each <= limit.max_precedence]),
            next_due_at=min((at for _, at in waking if at is not None and at > limit.instant), default=None),
            due_precedences=tuple(sorted(each for each in due if each > limit.max_precedence)),
        )

    async def set_clock(self, setting: ClockSetting) -> Activity:
        """Set the clock and let due schedules act. Raises ValueError for an instant in the past."""
        released = LAST_PRECEDENCE if setting.max_precedence is None else setting.max_precedence
        self._clock.set_to(setting.now, max_precedence=released)
        if self._acting is None or self._acting.done():
            self._acting = asyncio.create_task(self._run_all())
        return await self.read_activity()

    async def _run_all(self) -> None:
        for _ in range(_MAX_TURNS):
            if not await self._run_due(self._clock.get_due_limit().max_precedence):
                return

    async def _run_due(self, released: int) -> int:
        now, acts = self._clock.now(), 0
        for person in sorted(self._schedules, key=lambda each: (each.precedence, each.name)):
            at = person.get_next_due_at()
            if person.precedence <= released and at is not None and at <= now:
                acts += await person.act(now)
        self._acts += acts
        return acts

    def build_routes(self, key: str) -> list[web.RouteDef]:
        """Build the routes, which require `key` and are served on the loopback address only."""

        async def get_activity(request: web.Request) -> web.Response:
            _check_key(request, key)
            return _to_response(await self.read_activity())

        async def post_clock(request: web.Request) -> web.Response:
            _check_key(request, key)
            try:
                return _to_response(await self.set_clock(ClockSetting.model_validate_json(await request.read())))
            except ValidationError as error:
                raise web.HTTPUnprocessableEntity(text=f"{error.error_count()} fields are invalid") from error
            except ValueError as error:
                raise web.HTTPConflict(text=str(error)) from error

        return [web.get(ACTIVITY_PATH, get_activity), web.post(CLOCK_PATH, post_clock)]


def _check_key(request: web.Request, key: str) -> None:
    if not hmac.compare_digest(request.headers.get(KEY_HEADER, "").encode(), key.encode()):
        raise web.HTTPNotFound


def _to_response(activity: Activity) -> web.Response:
    return web.Response(text=activity.model_dump_json(), content_type="application/json")
