"""What operations ask a service: is it alive, is it ready, what does it measure, and what is parked."""

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
from service_runtime.unit_of_work.streams import StreamKey

probes = APIRouter(include_in_schema=False)
router = APIRouter(tags=["operations"])

Operator = Annotated[Caller, Depends(require_scopes("operations:manage"))]


class NothingParked(NotFound):
    """Nothing is parked under this topic and key."""


class ParkedKeyOut(BaseModel):
    """A key that waits: nothing happens to it until it is released or its failed event discarded."""

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


class Discard(BaseModel):
    because: str = Field(min_length=3, max_length=200, description="a code or ticket number; no names")


async def _get_dead_letters(request: Request) -> DeadLetterOperations[Any]:
    return request.app.state.parking


# Releasing needs no knowledge of the service's own unit of work.
ParkedKeyOperations = Annotated[DeadLetterOperations[Any], Depends(_get_dead_letters)]


@router.get("/v1/parked", response_model=ParkedKeys, responses=describe_problems())
async def list_parked(_: Operator, parking: ParkedKeyOperations) -> ParkedKeys:
    """Every key that waits for an operator, the longest wait first."""
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
            for key in await parking.list_keys()
        ]
    )


@router.post("/v1/parked/{topic}/{key}/release", response_model=Released, responses=describe_problems(404))
async def release_parked(topic: str, key: str, _: Operator, parking: ParkedKeyOperations) -> Released:
    """Handles what waits, in its order; stops at the first event that fails again."""
    released = await parking.release(StreamKey(topic, key))
    if released is None:
        raise NothingParked(f"nothing is parked under {topic} and this key; list what is at /v1/parked")
    return Released(handled=released.handled, still_parked=released.still_parked)


@router.post("/v1/parked/events/{event_id}/discard", status_code=204, responses=describe_problems(404))
async def discard_parked(event_id: UUID, order: Discard, operator: Operator, parking: ParkedKeyOperations) -> Response:
    """Takes a failed event out of the line unhandled, on record; what waits behind it can then be released."""
    if not await parking.discard(event_id, because=f"{order.because} ({operator.actor})"):
        raise NothingParked(f"no failed event {event_id} is parked; list what is at /v1/parked")
    return Response(status_code=204)


@probes.get("/healthz")
async def check_liveness() -> Response:
    """The process answers."""
    return Response("alive", media_type="text/plain")


@probes.get("/readyz")
async def check_readiness(request: Request) -> Response:
    """The service has caught up with its views, and its database answers."""
    check: Callable[[], Awaitable[str | None]] = request.app.state.not_ready_because
    because = await check()
    if because is not None:
        return build_problem_response(503, "not-ready", "Not ready", because, headers={"Retry-After": "1"})
    return Response("ready", media_type="text/plain")


@probes.get("/metrics")
async def render_metrics(request: Request) -> Response:
    """Prometheus' text format."""
    refresh: Callable[[], Awaitable[Any]] = request.app.state.refresh_metrics
    await refresh()
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
