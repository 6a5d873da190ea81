"""Routes for operators: liveness, readiness, metrics, and the release or discard of parked keys (dead letters)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from contracts.errors import NotFound
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.problems import build_problem_response, describe_problems
from service_runtime.http.text_fields import ForeignKey, Reason, RequestBody
from service_runtime.unit_of_work.streams import StreamKey

probes = APIRouter(include_in_schema=False)
router = APIRouter(tags=["operations"])

Operator = Annotated[Caller, Depends(require_scopes("operations:manage"))]


class NothingParked(NotFound):
    """No key or event is parked under the given name."""


class ParkedKeyOut(BaseModel):
    """A parked key: its events are not handled until an operator releases it."""

    topic: str
    key: str
    because: str
    since: datetime
    waiting: int
    event_id: UUID | None = Field(
        description="the event that failed; null when a timer failed or Kafka refused an event"
    )
    event_type: str | None


class ParkedKeys(BaseModel):
    items: list[ParkedKeyOut]


class Released(BaseModel):
    handled: int
    still_parked: bool


class Discard(RequestBody):
    because: Reason = Field(description="a code or ticket number; no names")


async def _get_dead_letters(request: Request) -> DeadLetterOperations[Any]:
    return request.app.state.dead_letters


# The type of the service's unit of work does not matter here.
ParkedKeyOperations = Annotated[DeadLetterOperations[Any], Depends(_get_dead_letters)]


@router.get("/v1/parked", response_model=ParkedKeys, responses=describe_problems())
async def list_parked(_: Operator, dead_letters: ParkedKeyOperations) -> ParkedKeys:
    """Lists the parked keys, the longest parked first."""
    return ParkedKeys(
        items=[
            ParkedKeyOut(
                topic=key.stream.topic,
                key=key.stream.key,
                because=key.because,
                since=key.since,
                waiting=key.waiting,
                event_id=key.event_id,
                event_type=key.event_type,
            )
            for key in await dead_letters.list_keys()
        ]
    )


@router.post("/v1/parked/{topic}/{key}/release", response_model=Released, responses=describe_problems(404))
async def release_parked(
    topic: ForeignKey, key: ForeignKey, _: Operator, dead_letters: ParkedKeyOperations
) -> Released:
    """Handles the waiting events of a key in order; stops at the first event that fails again."""
    released = await dead_letters.release(StreamKey(topic, key))
    if released is None:
        raise NothingParked(f"topic {topic} has no such parked key; /v1/parked lists the parked keys")
    return Released(handled=released.handled, still_parked=released.still_parked)


@router.post("/v1/parked/events/{event_id}/discard", status_code=204, responses=describe_problems(404))
async def discard_parked(
    event_id: UUID, order: Discard, operator: Operator, dead_letters: ParkedKeyOperations
) -> Response:
    """Discards a failed event unhandled and records the reason; the events behind it can then be released."""
    if not await dead_letters.discard(event_id, because=f"{order.because} ({operator.actor})"):
        raise NothingParked(f"no failed event {event_id} is parked; /v1/parked lists the parked keys and their events")
    return Response(status_code=204)


@probes.get("/healthz")
async def check_liveness() -> Response:
    """Answers 200 while the process runs."""
    return Response("alive", media_type="text/plain")


@probes.get("/readyz")
async def check_readiness(request: Request) -> Response:
    """Answers 200 if the projections are up to date and the database answers, otherwise 503 with the reason."""
    check: Callable[[], Awaitable[str | None]] = request.app.state.not_ready_because
    because = await check()
    if because is not None:
        return build_problem_response(503, "not-ready", "Not ready", because, headers={"Retry-After": "1"})
    return Response("ready", media_type="text/plain")


@probes.get("/metrics")
async def render_metrics(request: Request) -> Response:
    """Refreshes the gauges and renders all metrics in Prometheus' text format."""
    refresh: Callable[[], Awaitable[Any]] = request.app.state.refresh_metrics
    await refresh()
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
