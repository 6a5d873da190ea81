"""Offers behind the links of mails: pages for people, on which a provider without a system answers.

The link is all that a provider shows; whoever has it answers for it. Looking never answers: mail scanners open links.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from contracts.errors import CallOffError, NotFound
from contracts.framework import FrameworkDefinition
from contracts.ids import OfferId
from contracts.offer_links import LinkNotValid, OfferLink, OfferLinks
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, command_bus_without_idempotency
from service_runtime.http.instants import Now
from service_runtime.http.problems import to_caller_error, to_problem_response
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_package
from sourcing.api.callers import Queries, to_stream_key
from sourcing.api.offer_forms import FORM, parse_reply
from sourcing.api.offer_pages import (
    NOT_NOW,
    NOT_VALID,
    TOO_LARGE,
    FormMistake,
    OfferPage,
    build_answer_page,
    build_offer_page,
)
from sourcing.api.rendering import render_page
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.search import Offer
from sourcing.domain.steps import AnswerNotUsed
from sourcing.domain.triggers import AnswerOffer
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import SearchDetails, SearchQueries

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "The link is damaged, is not one of ours, or has ended", "content": _HTML},
    503: {"description": "Cannot be answered just now; Retry-After says when to queries again", "content": _HTML},
}
_ANSWER_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "description": "Too late, or no longer possible; the answer is on record, unless the page says so",
        "content": _HTML,
    },
    413: {"description": "The form is far too large", "content": _HTML},
    422: {"description": "The form is not right; the page says what to correct", "content": _HTML},
}


class PageRoute(APIRoute):
    """What goes wrong is told by a page, too: people have no use for problem+json."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return _build_response(TOO_LARGE, status=error.status_code)
            except Exception as error:
                refusal = to_caller_error(error)
                if refusal is None:
                    raise
                return _explain_refusal(refusal)

        return handle_or_explain


router = APIRouter(tags=["offers"], route_class=PageRoute, responses=_RESPONSES, default_response_class=HTMLResponse)

Token = Annotated[str, Path(description="as it stands in the mail", json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})]
"""Told, and not enforced: whatever else comes is a link that is not valid, and gets its page."""


@dataclass(frozen=True)
class LinkedOffer:
    """The offer behind a link, with what its page tells."""

    offer: Offer
    seen: SearchDetails
    definition: FrameworkDefinition | None

    @property
    def caller(self) -> Caller:
        return Caller("offer-link", self.seen.council, frozenset(), self.offer.provider_id, by_link=True)


async def _find_linked_offer(
    token: Token, links: Annotated[OfferLinks, inject(OfferLinks)], queries: Queries, now: Now
) -> LinkedOffer:
    """Raises LinkNotValid, for an offer of somebody else as well."""
    link = links.check(token, now=now)
    seen = await _find_search(link, queries)
    offer = seen.search.find_offer(link.offer_id) if seen is not None else None
    if seen is None or offer is None or offer.provider_id != link.provider_id:
        raise LinkNotValid
    set_package(seen.search.package_id)
    return LinkedOffer(offer, seen, await queries.find_definition(seen.search))


async def _find_search(link: OfferLink, queries: SearchQueries) -> SearchDetails | None:
    seen = await queries.find_offer(link.offer_id)
    return await queries.find_search(seen.package_id) if seen is not None else None


OfferBehindLink = Annotated[LinkedOffer, Depends(_find_linked_offer)]
LinkBus = Annotated[CommandBus, Depends(command_bus_without_idempotency)]


# A link that lost or gained something on its way is damaged, whatever it is now: hence a path, and not a name.
@router.head("/v1/offer-links/{token:path}", include_in_schema=False)
@router.get("/v1/offer-links/{token:path}")
async def show_offer_behind_link(linked: OfferBehindLink) -> Response:
    """A page for people: the offer behind the link of a mail, as it stands. Looking at it answers nothing."""
    return _build_response(build_offer_page(linked.seen.search, linked.offer, linked.definition))


@router.post(
    "/v1/offer-links/{token:path}",
    responses=_ANSWER_RESPONSES,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": FORM}}}
    },
)
async def answer_by_link(linked: OfferBehindLink, request: Request, bus: LinkBus) -> Response:
    """Accept or decline the offer behind the link of a mail; a page says what was recorded."""
    search, definition = linked.seen.search, linked.definition
    reply = parse_reply(await request.body())
    if isinstance(reply, FormMistake):
        return _build_response(build_offer_page(search, linked.offer, definition, mistake=reply), status=422)
    command = AnswerOffer(search.package_id, linked.offer.offer_id, linked.offer.provider_id, reply)
    return await bus.execute(
        command,
        handle_command,
        on=to_stream_key(search.package_id),
        by=linked.caller,
        respond=lambda result: _render_answer(result, command.offer_id, definition),
    )


def _render_answer(result: CommandResult, offer_id: OfferId, definition: FrameworkDefinition | None) -> HttpAnswer:
    offer = result.search.find_offer(offer_id)
    if offer is None:
        raise OfferNotFound
    html, headers = render_page(build_answer_page(result.outcome, result.search, offer, definition))
    return HttpAnswer(409 if isinstance(result.outcome, AnswerNotUsed) else 200, html, tuple(headers.items()))


def _explain_refusal(refusal: CallOffError) -> Response:
    """One page for every link that is not valid, so that nothing can be learnt from it."""
    plain = to_problem_response(refusal)
    response = _build_response(NOT_VALID if isinstance(refusal, NotFound) else NOT_NOW, status=plain.status_code)
    if "Retry-After" in plain.headers:
        response.headers["Retry-After"] = plain.headers["Retry-After"]
    return response


def _build_response(page: OfferPage, *, status: int = 200) -> Response:
    html, headers = render_page(page)
    return Response(html, status, headers)
