"""HTML pages behind the links in the mails of lists, on which a provider without its own system returns a list.

The link is a bearer credential: its holder returns the list for the provider. GET never answers, because mail scanners
open links.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse

from contracts.catalogue import LISTS
from contracts.events.lists import ReturnChannel
from contracts.link_tokens import LinkNotValid
from contracts.list_links import ListLinkSigner
from list_documents.errors import ReturnRefused
from list_documents.page import PageForm, RowResult, render_page
from list_documents.page_form import MAX_FORM_BYTES, read_form
from list_documents.returns.returned import ReturnedRow
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.http.bodies import accept_body_up_to
from service_runtime.http.commands import CommandBus, get_command_bus_without_idempotency
from service_runtime.http.instants import Now
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.api.list_documents import Format, send_file
from sourcing.api.list_files import FileFormat
from sourcing.api.list_of_provider import ListOfProvider, find_list_of_provider
from sourcing.api.list_returns import AppliedRow, describe_current_answers
from sourcing.api.lists import ListNotFound, Lists
from sourcing.api.page_routes import PageRoute
from sourcing.handlers import record_return

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "The link is damaged, was not issued here, or has expired", "content": _HTML},
    422: {"description": "What was sent is neither the form of this page nor a format of the list", "content": _HTML},
    503: {"description": "Temporarily unavailable; Retry-After gives the time to wait", "content": _HTML},
}
_FORM: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    }
}
THANKS: Final = "Your answers are recorded. You can change them on this page as long as the list is out."
CLOSED: Final = "This list is closed. What you send now is recorded, and the council may take it up."

router = APIRouter(tags=["lists"], route_class=PageRoute, responses=_RESPONSES, default_response_class=HTMLResponse)

Token = Annotated[
    str, Path(description="the token as in the email", json_schema_extra={"pattern": "^[A-Za-z0-9_=-]+$"})
]
"""The pattern is documentation only: any other text is an invalid link and gets that page."""
LinkBus = Annotated[CommandBus, Depends(get_command_bus_without_idempotency)]


@dataclass(frozen=True)
class LinkedList:
    """The list behind a link, as its provider gets it."""

    found: ListOfProvider
    caller: Caller


async def _find_linked_list(
    token: Token, links: Annotated[ListLinkSigner, inject(ListLinkSigner)], lists: Lists, now: Now
) -> LinkedList:
    """Find the list behind a link. Raises LinkNotValid, also for a list that did not go to the provider."""
    link = links.verify_token(token, now=now)
    details = await lists.find_list(link.list_id)
    if details is None:
        raise LinkNotValid
    caller = Caller("list-link", details.council, frozenset(), link.provider_id, by_link=True)
    try:
        return LinkedList(await find_list_of_provider(link.list_id, caller, link.provider_id, lists), caller)
    except ListNotFound:
        raise LinkNotValid from None


ListBehindLink = Annotated[LinkedList, Depends(_find_linked_list)]


@router.get("/v1/list-links/{token}/document")
async def fetch_list_behind_link(linked: ListBehindLink, file_format: Format = FileFormat.WORKBOOK) -> Response:
    """Fetch the list behind the link of an email as a workbook, CSV or JSON."""
    return await send_file(linked.found, file_format)


# `:path`, so that a damaged link with a slash in it matches this route and gets the page for invalid links.
@router.get("/v1/list-links/{token:path}")
async def show_list_behind_link(linked: ListBehindLink, request: Request) -> Response:
    """Show the list behind the link of an email as an HTML page. Opening the page does not answer."""
    given = describe_current_answers(linked.found.rows, linked.caller.as_provider)
    return _build_response(linked, request, given=given)


@router.post(
    "/v1/list-links/{token:path}",
    responses={413: {"description": "The form is far too large", "content": _HTML}},
    openapi_extra=_FORM,
)
@accept_body_up_to(MAX_FORM_BYTES)
async def return_list_by_link(linked: ListBehindLink, request: Request, bus: LinkBus) -> Response:
    """Return the list behind the link of an email; the HTML page says what came of each answer."""
    content = await request.body()
    try:
        returned = await asyncio.to_thread(read_form, content)
    except ReturnRefused as refusal:
        return _build_response(linked, request, notices=(str(refusal),), status=422)
    applied = await linked.found.apply(returned, linked.caller, bus)
    record = linked.found.build_record(content, applied, ReturnChannel.PAGE, linked.caller)
    return await bus.execute(
        record,
        record_return,
        on=StreamKey(LISTS, str(record.list_id)),
        by=linked.caller,
        respond=lambda _: _render_results(linked, request, applied),
    )


def _render_results(linked: LinkedList, request: Request, applied: Sequence[AppliedRow]) -> HttpAnswer:
    results = {
        each.row.reference: RowResult(each.text, is_problem=each.is_problem)
        for each in applied
        if each.row.reference is not None and each.row.has_answer
    }
    given = {each.row.reference: each.row for each in applied if each.row.reference is not None}
    notices = () if any(each.is_problem for each in results.values()) else (THANKS,)
    html, headers = _render(linked, request, given=given, results=results, notices=notices)
    return HttpAnswer(200, html, tuple(headers.items()))


def _build_response(
    linked: LinkedList,
    request: Request,
    *,
    given: Mapping[UUID, ReturnedRow] | None = None,
    notices: tuple[str, ...] = (),
    status: int = 200,
) -> Response:
    html, headers = _render(linked, request, given=given or {}, notices=notices)
    return Response(html, status, headers)


def _render(
    linked: LinkedList,
    request: Request,
    *,
    given: Mapping[UUID, ReturnedRow],
    results: Mapping[UUID, RowResult] | None = None,
    notices: tuple[str, ...] = (),
) -> tuple[bytes, dict[str, str]]:
    closed = (CLOSED,) if linked.found.details.sent.closed_at is not None else ()
    form = PageForm(action=request.url.path, given=given)
    return render_page(linked.found.document, form=form, results=results, notices=(*closed, *notices))
