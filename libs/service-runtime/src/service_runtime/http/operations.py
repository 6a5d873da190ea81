"""Routes for operators: liveness, readiness, metrics, and the release or discard of parked keys (dead letters)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field, model_validator

from contracts.errors import NotFound
from service_runtime.dead_letters.bulk_release import ReleaseFilter, group_by_cause
from service_runtime.dead_letters.operations import DeadLetterOperations
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.problems import build_problem_response, describe_problems
from service_runtime.http.text_fields import ForeignKey, Reason, RequestBody, WholeNumber, YesOrNo
from service_runtime.observability.registry import render_registry
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


class ParkedCauseOut(BaseModel):
    """Keys of one topic that are parked for the same reason; `because` and `event_type` select them for a release."""

    topic: str
    because: str
    event_type: str | None
    keys: int = Field(description="how many keys are parked for this reason")
    waiting: int = Field(description="how many events wait under these keys")
    since: datetime = Field(description="when the first of them was parked")


class ParkedKeys(BaseModel):
    items: list[ParkedKeyOut]
    causes: list[ParkedCauseOut] = Field(description="the keys by cause, the cause of the most keys first")


class Released(BaseModel):
    handled: int
    still_parked: bool


class BulkReleaseIn(RequestBody):
    """Selects parked keys; at least one of `because`, `event_type` and `topic` is given, and all that are must fit."""

    because: ForeignKey | None = Field(default=None, description="the reason as GET /v1/parked shows it")
    event_type: ForeignKey | None = None
    topic: ForeignKey | None = None
    limit: WholeNumber = Field(default=20, ge=1, le=100, description="keys of one call, the longest parked first")
    skip: WholeNumber = Field(
        default=0, ge=0, le=1_000_000, description="matching keys to leave out: those that failed again before"
    )
    dry_run: YesOrNo = Field(default=False, description="only list the keys that would be released")

    @model_validator(mode="after")
    def check_selection(self) -> Self:
        if self.because is None and self.event_type is None and self.topic is None:
            message = "give because, event_type or topic; GET /v1/parked lists the causes"
            raise ValueError(message)
        return self


class ReleasedKeyOut(BaseModel):
    topic: str
    key: str
    because: str
    handled: int = Field(description="events that were handled; 0 in a dry run")
    still_parked: bool = Field(description="true if an event failed again, and in a dry run")


class BulkReleased(BaseModel):
    items: list[ReleasedKeyOut] = Field(description="in the order in which the keys were parked")
    remaining: int = Field(description="keys that match and were left for another call")


class Discard(RequestBody):
    because: Reason = Field(description="a code or ticket number; no names")


async def _get_dead_letters(request: Request) -> DeadLetterOperations[Any]:
    return request.app.state.dead_letters


# The type of the service's unit of work does not matter here.
ParkedKeyOperations = Annotated[DeadLetterOperations[Any], Depends(_get_dead_letters)]


@router.get("/v1/parked", response_model=ParkedKeys, responses=describe_problems())
async def list_parked(_: Operator, dead_letters: ParkedKeyOperations) -> ParkedKeys:
    """Lists the parked keys, the longest parked first, and their causes."""
    parked = await dead_letters.list_keys()
    return ParkedKeys(
        causes=[ParkedCauseOut.model_validate(cause, from_attributes=True) for cause in group_by_cause(parked)],
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
            for key in parked
        ],
    )


@router.post("/v1/parked/release", response_model=BulkReleased, responses=describe_problems())
async def release_all_parked(order: BulkReleaseIn, _: Operator, dead_letters: ParkedKeyOperations) -> BulkReleased:
    """Releases the keys that match, the longest parked first; goes on after a key whose event fails again."""
    selection = ReleaseFilter(order.because, order.event_type, order.topic)
    done = await dead_letters.release_all(selection, skip=order.skip, limit=order.limit, dry_run=order.dry_run)
    return BulkReleased(
        items=[
            ReleasedKeyOut(
                topic=each.key.stream.topic,
                key=each.key.stream.key,
                because=each.key.because,
                handled=0 if each.release is None else each.release.handled,
                still_parked=each.release is None or each.release.still_parked,
            )
            for each in done.keys
        ],
        remaining=done.remaining,
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
    return Response(render_registry(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)
