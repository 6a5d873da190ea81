"""Route of what officers have to act on in a framework."""

from datetime import date

from fastapi import APIRouter
from pydantic import BaseModel, Field

from contracts.ids import FrameworkKey
from provider_registry.api.callers import Queries, Staff
from provider_registry.api.scopes import FrameworkPath
from provider_registry.domain.alarms import AlarmKind
from provider_registry.domain.errors import FrameworkNotFound
from service_runtime.http.instants import Now
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["frameworks"])


class AlarmOut(BaseModel):
    kind: AlarmKind
    day: date | None = Field(description="by when to act; null for an area")
    area: str | None = Field(description="null for a day")
    text: str


class AlarmsOut(BaseModel):
    items: list[AlarmOut]


@router.get("/v1/frameworks/{framework}/alarms", response_model=AlarmsOut, responses=describe_problems(404))
async def list_alarms(framework: FrameworkPath, caller: Staff, queries: Queries, now: Now) -> AlarmsOut:
    """What is due: notices of extensions, the end of a suspension, areas with fewer active providers than asked."""
    found = await queries.list_alarms(FrameworkKey(framework), council=caller.council, at=now)
    if found is None:
        raise FrameworkNotFound
    return AlarmsOut(items=[AlarmOut(kind=each.kind, day=each.day, area=each.area, text=each.text) for each in found])
