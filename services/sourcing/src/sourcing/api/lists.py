"""Routes of lists: providers and officers read them, and tick rows of a Batching List."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from contracts.catalogue import LISTS, PACKAGES
from contracts.errors import Conflict, NotFound
from contracts.events.listings import Advert
from contracts.events.lists import ListKind, ListRecipient
from contracts.ids import AreaCode, ListId, ListingReference, ProviderId, UnitKey
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, json_response, to_stored_problem
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.http.text_fields import RequestBody, YesOrNo
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_subject
from sourcing.api.available import ProposalOut, to_proposal_out
from sourcing.api.callers import Bus, Officer, Provider, to_stream_key
from sourcing.domain.errors import ListRowNotFound
from sourcing.domain.search import SearchStatus
from sourcing.domain.steps import Ticked, TickNotUsed
from sourcing.domain.triggers import RegisterInterest
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import ListDetails, ListQueries, ListRowDetails, RowOfList

router = APIRouter(tags=["lists"])
officers = APIRouter(tags=["officers"])

Lists = Annotated[ListQueries, inject(ListQueries)]


class ListNotFound(NotFound):
    title = "No such list"

    def __init__(self) -> None:
        super().__init__("there is no such list for you; ask for your lists to see which ones there are")


class TickNotTaken(Conflict):
    """The tick is recorded and is not used."""

    title = "This tick is not used"


class ListOut(BaseModel):
    """A list as it was sent."""

    list_id: UUID
    kind: ListKind
    framework: str
    day: date
    moved_from: date | None = Field(description="the usual day of the list, where that was a bank holiday")
    late: bool = Field(description="the list went out late, because the service was down")
    issued_at: datetime
    closes_at: datetime | None = Field(description="until when ticks count (inclusive); null for available packages")
    is_closed: bool


class ListRowOut(BaseModel):
    """A package on a list, under a reference that is new for every list."""

    advert: Advert
    unit: UnitKey = Field(description="what a proposed rate is for")
    listed_since: datetime
    is_open: bool = Field(description="false once the package is placed, withdrawn or off the list")
    ticked: bool | None = Field(description="whether you ticked it; null on a list of available packages")
    my_proposal: ProposalOut | None = Field(description="your newest proposal for the package, if you made one")


class ListWithRowsOut(BaseModel):
    summary: ListOut
    areas: list[AreaCode] = Field(description="the areas in which you work; of a Batching List you get their rows")
    rows: list[ListRowOut] = Field(description="those of your areas first")


class OfficerRowOut(BaseModel):
    """A package on a list, with who ticked it."""

    package_id: UUID
    advert: Advert
    is_open: bool
    providers: list[UUID] = Field(description="to whom a Batching List is open, in their order")
    ticks: list[UUID]
    late_ticks: list[UUID] = Field(description="an officer may take one of them up")


class OfficerListOut(BaseModel):
    summary: ListOut
    recipients: list[ListRecipient]
    rows: list[OfficerRowOut]


class InterestIn(RequestBody):
    interested: YesOrNo = Field(description="true: you would take the package on; false: you take a tick back")


class InterestOut(BaseModel):
    interested: bool
    is_for_officer: bool = Field(description="the package is urgent: its offers go on, and officers see the tick")


async def _find_row(list_id: UUID, reference: UUID, lists: Lists) -> RowOfList:
    row = await lists.find_row(ListId(list_id), ListingReference(reference))
    if row is None:
        raise ListRowNotFound
    set_subject(PACKAGES, str(row.package_id))
    return row


Row = Annotated[RowOfList, Depends(_find_row)]


@router.get("/v1/lists", response_model=Page[ListOut], responses=describe_problems())
async def list_my_lists(caller: Provider, lists: Lists, cursor: Cursor = None, limit: Limit = 50) -> Page[ListOut]:
    """List the lists that went to you, the newest first."""
    return await _list_lists(caller, caller.as_provider, lists, cursor, limit)


@router.get("/v1/lists/{list_id}", response_model=ListWithRowsOut, responses=describe_problems(404))
async def show_my_list(list_id: UUID, caller: Provider, lists: Lists) -> ListWithRowsOut:
    """Show a list that went to you, with what you ticked and proposed."""
    details, recipient = await find_list_of(ListId(list_id), caller, caller.as_provider, lists)
    rows = select_rows(details, recipient, await lists.list_rows(details.sent.list_id))
    own_first = sorted(rows, key=lambda row: row.added.advert.area not in recipient.areas)
    shown = [_to_row_out(row, caller.as_provider) for row in own_first]
    return ListWithRowsOut(summary=_to_list_out(details), areas=list(recipient.areas), rows=shown)


@router.put(
    "/v1/lists/{list_id}/rows/{reference}/interest",
    response_model=InterestOut,
    responses=describe_problems(404, 409),
)
async def tick_row(row: Row, body: InterestIn, caller: Provider, lists: Lists, bus: Bus) -> Response:
    """Tick a row of a Batching List, or take the tick back. A tick that is not used gets 409 and is recorded."""
    await find_list_of(row.list_id, caller, caller.as_provider, lists)
    return await _register_interest(row, caller.as_provider, body, caller, bus)


@officers.get("/v1/council/lists", response_model=Page[ListOut], responses=describe_problems())
async def list_lists_of_council(
    caller: Officer, lists: Lists, cursor: Cursor = None, limit: Limit = 50
) -> Page[ListOut]:
    """List all lists of the council, the newest first."""
    return await _list_lists(caller, None, lists, cursor, limit)


@officers.get("/v1/council/lists/{list_id}", response_model=OfficerListOut, responses=describe_problems(404))
async def show_list_to_officer(list_id: UUID, caller: Officer, lists: Lists) -> OfficerListOut:
    """Show a list with its packages, to whom it went, and who ticked what."""
    details = await _find_list(ListId(list_id), caller, lists)
    return OfficerListOut(
        summary=_to_list_out(details),
        recipients=list(await lists.list_recipients(details.sent.list_id)),
        rows=[_to_officer_row_out(row) for row in await lists.list_rows(details.sent.list_id)],
    )


@officers.put(
    "/v1/council/lists/{list_id}/rows/{reference}/providers/{provider_id}/interest",
    response_model=InterestOut,
    responses=describe_problems(404, 409),
)
async def tick_row_for_provider(row: Row, provider_id: UUID, body: InterestIn, caller: Officer, bus: Bus) -> Response:
    """Tick a row for a provider that answered by telephone or mail; the record names the officer."""
    if row.council != caller.council:
        raise ListRowNotFound
    return await _register_interest(row, ProviderId(provider_id), body, caller, bus)


async def find_list_of(
    list_id: ListId, caller: Caller, provider_id: ProviderId, lists: ListQueries
) -> tuple[ListDetails, ListRecipient]:
    """Find a list that went to the provider. Raises ListNotFound."""
    details = await _find_list(list_id, caller, lists)
    recipients = await lists.list_recipients(list_id)
    recipient = next((each for each in recipients if each.provider_id == provider_id), None)
    if recipient is None:
        raise ListNotFound
    return details, recipient


def select_rows(details: ListDetails, recipient: ListRecipient, rows: Sequence[ListRowDetails]) -> list[ListRowDetails]:
    """Select the rows that the recipient gets, as they were issued: of a Batching List those of its areas."""
    if details.sent.kind is ListKind.AVAILABLE_PACKAGES:
        return list(rows)
    own = (row for row in rows if row.added.advert.area in recipient.areas)
    return [row for row in own if recipient.provider_id in row.added.providers]


async def _find_list(list_id: ListId, caller: Caller, lists: ListQueries) -> ListDetails:
    details = await lists.find_list(list_id)
    if details is None or details.council != caller.council:
        raise ListNotFound
    set_subject(LISTS, str(list_id))
    return details


async def _register_interest(
    row: RowOfList, provider_id: ProviderId, body: InterestIn, caller: Caller, bus: CommandBus
) -> Response:
    command = RegisterInterest(row.package_id, row.list_id, provider_id, body.interested)
    return await bus.execute(
        command, handle_command, on=to_stream_key(row.package_id), by=caller, respond=_respond_with_interest
    )


async def _list_lists(
    caller: Caller, provider_id: ProviderId | None, lists: ListQueries, cursor: str | None, limit: int
) -> Page[ListOut]:
    found = await lists.list_lists(caller.council, provider_id, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(
        found,
        limit,
        to_item=_to_list_out,
        position=lambda row: (row.issued_at, row.sent.list_id),
    )


def _to_list_out(details: ListDetails) -> ListOut:
    sent = details.sent
    return ListOut(
        list_id=sent.list_id,
        kind=sent.kind,
        framework=sent.framework,
        day=sent.day,
        moved_from=sent.moved_from,
        late=sent.late,
        issued_at=details.issued_at,
        closes_at=sent.closes_at,
        is_closed=sent.closed_at is not None,
    )


def is_row_open(row: ListRowDetails) -> bool:
    """Return whether the package can still be ticked or proposed for."""
    search = row.search
    if row.added.kind is ListKind.AVAILABLE_PACKAGES:
        return search.status is SearchStatus.LISTED
    return search.is_open and search.batching is not None and search.batching.is_out


def _to_row_out(row: ListRowDetails, provider_id: ProviderId) -> ListRowOut:
    proposal = None if row.search.listing is None else row.search.listing.find_proposal_of(provider_id)
    return ListRowOut(
        advert=row.added.advert,
        unit=row.added.unit,
        listed_since=row.added.listed_since,
        is_open=is_row_open(row),
        ticked=_find_tick(row, provider_id),
        my_proposal=None if proposal is None else to_proposal_out(proposal),
    )


def _find_tick(row: ListRowDetails, provider_id: ProviderId) -> bool | None:
    if row.added.kind is not ListKind.BATCHING_LIST:
        return None
    entry = row.search.batching
    return entry is not None and provider_id in entry.ticks


def _to_officer_row_out(row: ListRowDetails) -> OfficerRowOut:
    entry = row.search.batching if row.added.kind is ListKind.BATCHING_LIST else None
    return OfficerRowOut(
        package_id=row.search.package_id,
        advert=row.added.advert,
        is_open=is_row_open(row),
        providers=list(row.added.providers),
        ticks=[] if entry is None else list(entry.ticks_in_order),
        late_ticks=[] if entry is None else list(entry.late_ticks),
    )


def _respond_with_interest(result: CommandResult) -> HttpAnswer:
    if isinstance(result.outcome, TickNotUsed):
        return to_stored_problem(TickNotTaken(f"{result.outcome.reason}; the tick is on record"))
    assert isinstance(result.outcome, Ticked), "a tick counts or is not used"
    return json_response(
        InterestOut(interested=result.outcome.interested, is_for_officer=result.outcome.is_for_officer)
    )
