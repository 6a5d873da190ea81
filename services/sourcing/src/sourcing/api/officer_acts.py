"""Routes of officers' acts on a search. Each answers with the search after it and the acts that are possible then."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BeforeValidator, Field, StringConstraints

from contracts.errors import Conflict
from contracts.ids import ActId, AwardId, ProviderId
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.instants import Now
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import AreaName, LotName, Rate, ReasonName, RequestBody, TierName, Uuid
from service_runtime.http.text_rules import CodeRule
from service_runtime.idempotency import StoredResponse as HttpAnswer
from sourcing.api.callers import Bus, Officer, Queries, find_search, to_stream_key
from sourcing.api.searches import SearchOut, to_search_out
from sourcing.domain.officers.commands import (
    ApproveAct,
    AssignOfficer,
    DirectOffer,
    OfficerCommand,
    OverrideSuspension,
    PauseSearch,
    PlaceByHand,
    RefuseAct,
    ResourcePackage,
    ResumeSearch,
    SkipProvider,
    TakeUpTick,
    WithdrawAward,
)
from sourcing.domain.search import Search
from sourcing.domain.steps import ActEnded, ActWaits
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import SearchQueries

router = APIRouter(tags=["officers"])

_SUBJECT = r"^[A-Za-z0-9._:|-]{1,64}$"
OfficerName = Annotated[
    str,
    StringConstraints(pattern=_SUBJECT, max_length=64),
    BeforeValidator(CodeRule(_SUBJECT, "an officer's subject at the council's identity provider", 64)),
]
_PROBLEMS = describe_problems(404, 409)
_PROVIDER = "one that the council's registry has"


class ActNotCarriedOut(Conflict):
    """The act is recorded and was not carried out."""

    title = "This act was not carried out"


class ActIn(RequestBody):
    """Why an officer acts."""

    reason: ReasonName = Field(description="one of the officers' reasons of the framework's definition")


class SkipIn(ActIn):
    provider_id: Uuid | None = Field(default=None, description="without it: the provider whose turn it is")


class DirectedOfferIn(ActIn):
    """An offer out of order. The provider's best place for the package is used unless lot, tier or area are named."""

    provider_id: Uuid
    lot: LotName | None = None
    tier: TierName | None = None
    area: AreaName | None = None


class LateTickIn(ActIn):
    provider_id: Uuid = Field(description="one that ticked the package after the list was closed")


class HandPlacementIn(ActIn):
    """A placement that was agreed outside the system."""

    provider_id: Uuid = Field(description=_PROVIDER)
    rate: Rate = Field(description="pounds for each unit of the package")
    inadequate_reason: ReasonName | None = Field(default=None, description="for a provider rated Inadequate")


class ResourceIn(ActIn):
    stage: ReasonName | None = Field(
        default=None, description="a stage of the package's road; without it: where it was, or the first one"
    )


class OfficerIn(RequestBody):
    officer: OfficerName | None = Field(description="null: nobody any more")


@dataclass(frozen=True)
class OfficersDesk:
    """What a route of an officer's act needs: the officer, the searches, the command bus, and the instant."""

    caller: Caller
    queries: SearchQueries
    bus: CommandBus
    now: datetime

    @property
    def officer(self) -> str:
        return self.caller.actor

    async def find_search(self, package_id: UUID) -> Search:
        """Find the search of one of the council's packages. Raises PackageNotFound."""
        return await find_search(package_id, self.caller, self.queries)

    async def act(self, command: OfficerCommand, *, ends: bool = False) -> Response:
        """Carry the command out; `ends` is True for the one that is to end an act."""
        return await self.bus.execute(
            command,
            handle_command,
            on=to_stream_key(command.package_id),
            by=self.caller,
            respond=_build_responder(self.now, ends=ends),
        )


def _build_responder(now: datetime, *, ends: bool = False) -> Callable[[CommandResult], HttpAnswer]:
    """Return a function that answers with the search: 202 where the act waits, 409 where it ended on record.

    `ends` is True for the command that is to end an act.
    """

    def respond(result: CommandResult) -> HttpAnswer:
        match result.outcome:
            case ActEnded(reason=reason, passed_over=bars) if not ends:
                return to_stored_problem(ActNotCarriedOut(f"{', '.join((reason, *bars))}; your approval is on record"))
            case ActWaits():
                return json_response(to_search_out(result.search, now), status=202)
            case _:
                return json_response(to_search_out(result.search, now))

    return respond


def _open_desk(caller: Officer, queries: Queries, bus: Bus, now: Now) -> OfficersDesk:
    return OfficersDesk(caller, queries, bus, now)


Desk = Annotated[OfficersDesk, Depends(_open_desk)]


@router.post("/v1/packages/{package_id}/pause", response_model=SearchOut, responses=_PROBLEMS)
async def pause(package_id: UUID, body: ActIn, desk: Desk) -> Response:
    """Pause the search: no new offers are made. Live offers can be answered, and an acceptance places the package."""
    search = await desk.find_search(package_id)
    return await desk.act(PauseSearch(search.package_id, desk.officer, body.reason))


@router.post("/v1/packages/{package_id}/resume", response_model=SearchOut, responses=_PROBLEMS)
async def resume(package_id: UUID, body: ActIn, desk: Desk) -> Response:
    """Resume a paused search; it goes on from where it was."""
    search = await desk.find_search(package_id)
    return await desk.act(ResumeSearch(search.package_id, desk.officer, body.reason))


@router.post("/v1/packages/{package_id}/skips", response_model=SearchOut, responses=_PROBLEMS)
async def skip(package_id: UUID, body: SkipIn, desk: Desk) -> Response:
    """Skip a provider of the current stage that has not been asked; the next one in order follows."""
    search = await desk.find_search(package_id)
    provider = None if body.provider_id is None else ProviderId(body.provider_id)
    return await desk.act(SkipProvider(search.package_id, desk.officer, body.reason, provider))


@router.post("/v1/packages/{package_id}/directed-offers", response_model=SearchOut, responses=_PROBLEMS)
async def direct_an_offer(package_id: UUID, body: DirectedOfferIn, desk: Desk) -> Response:
    """Propose an offer out of order (202). It is made once a second officer approved it and no other offer is live."""
    search = await desk.find_search(package_id)
    command = DirectOffer(
        search.package_id,
        ProviderId(body.provider_id),
        desk.officer,
        body.reason,
        lot=body.lot,
        tier=body.tier,
        area=body.area,
    )
    return await desk.act(command)


@router.post("/v1/packages/{package_id}/late-ticks", response_model=SearchOut, responses=_PROBLEMS)
async def take_up_a_late_tick(package_id: UUID, body: LateTickIn, desk: Desk) -> Response:
    """Take up a late tick on a Batching List: the provider gets an offer as soon as no other one is live."""
    search = await desk.find_search(package_id)
    return await desk.act(TakeUpTick(search.package_id, ProviderId(body.provider_id), desk.officer, body.reason))


@router.post("/v1/packages/{package_id}/suspension/override", response_model=SearchOut, responses=_PROBLEMS)
async def override_the_suspension(package_id: UUID, body: ActIn, desk: Desk) -> Response:
    """Have the offers of the package go on while a Batching List with it is out."""
    search = await desk.find_search(package_id)
    return await desk.act(OverrideSuspension(search.package_id, desk.officer, body.reason))


@router.post("/v1/packages/{package_id}/placements", response_model=SearchOut, responses=_PROBLEMS)
async def record_a_placement(package_id: UUID, body: HandPlacementIn, desk: Desk) -> Response:
    """Record a placement made by hand. Above the ceiling it waits (202) until a second officer approves it."""
    search = await desk.find_search(package_id)
    command = PlaceByHand(
        search.package_id,
        ProviderId(body.provider_id),
        body.rate,
        desk.officer,
        body.reason,
        body.inadequate_reason,
    )
    return await desk.act(command)


@router.post("/v1/packages/{package_id}/acts/{act_id}/approve", response_model=SearchOut, responses=_PROBLEMS)
async def approve(package_id: UUID, act_id: UUID, desk: Desk) -> Response:
    """Approve another officer's act; it is carried out as soon as it can be."""
    search = await desk.find_search(package_id)
    return await desk.act(ApproveAct(search.package_id, ActId(act_id), desk.officer))


@router.post("/v1/packages/{package_id}/acts/{act_id}/refuse", response_model=SearchOut, responses=_PROBLEMS)
async def refuse(package_id: UUID, act_id: UUID, desk: Desk) -> Response:
    """Refuse another officer's act, or withdraw your own, while it is not carried out."""
    search = await desk.find_search(package_id)
    return await desk.act(RefuseAct(search.package_id, ActId(act_id), desk.officer), ends=True)


@router.post("/v1/packages/{package_id}/resource", response_model=SearchOut, responses=_PROBLEMS)
async def source_again(package_id: UUID, body: ResourceIn, desk: Desk) -> Response:
    """Source the package again: its placement fell through before care started, or it is exhausted or listed."""
    search = await desk.find_search(package_id)
    return await desk.act(ResourcePackage(search.package_id, desk.officer, body.reason, body.stage))


@router.post("/v1/packages/{package_id}/awards/{award_id}/withdraw", response_model=SearchOut, responses=_PROBLEMS)
async def withdraw_an_award(package_id: UUID, award_id: UUID, body: ActIn, desk: Desk) -> Response:
    """Withdraw an award that waits for a second officer; the package stays open to proposals."""
    search = await desk.find_search(package_id)
    return await desk.act(WithdrawAward(search.package_id, AwardId(award_id), desk.officer, body.reason))


@router.put("/v1/packages/{package_id}/officer", response_model=SearchOut, responses=_PROBLEMS)
async def assign(package_id: UUID, body: OfficerIn, desk: Desk) -> Response:
    """Assign the package to an officer, whose work list then shows it."""
    search = await desk.find_search(package_id)
    assigned_to = None if body.officer is None else f"officer:{body.officer}"
    return await desk.act(AssignOfficer(search.package_id, assigned_to, desk.officer))
