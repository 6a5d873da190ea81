"""HTML pages behind the links in emails, on which a provider without its own system answers an offer.

The link is a bearer credential: its holder answers for the provider. GET never answers, because mail scanners open
links.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import HTMLResponse

from contracts.catalogue import PACKAGES
from contracts.framework.definition import FrameworkDefinition
from contracts.framework.words import Reasons
from contracts.ids import OfferId
from contracts.offer_links import LinkNotValid, OfferLink, OfferLinkSigner
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller
from service_runtime.http.commands import CommandBus, get_command_bus_without_idempotency
from service_runtime.http.instants import Now
from service_runtime.idempotency import StoredResponse as HttpAnswer
from service_runtime.observability.tracing import set_subject
from sourcing.api.callers import Queries, to_stream_key
from sourcing.api.offer_forms import FORM, parse_answer_form
from sourcing.api.offer_pages import (
    FormMistake,
    build_answer_page,
    build_offer_page,
)
from sourcing.api.page_routes import PageRoute, build_page_response
from sourcing.api.rendering import render_page
from sourcing.domain.errors import OfferNotFound
from sourcing.domain.offer import Offer
from sourcing.domain.steps import AnswerNotUsed
from sourcing.domain.triggers import AnswerOffer
from sourcing.handlers import CommandResult, handle_command
from sourcing.ports import SearchDetails, SearchQueries

_HTML: Final = {"text/html": {"schema": {"type": "string"}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "The link is damaged, was not issued here, or has expired", "content": _HTML},
    503: {"description": "Temporarily unavailable; Retry-After gives the time to wait", "content": _HTML},
}
_ANSWER_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "description": "Too late, or no longer possible; the answer is recorded unless the page says otherwise",
        "content": _HTML,
    },
    413: {"description": "The form is far too large", "content": _HTML},
    422: {"description": "The form has a mistake; the page says what to correct", "content": _HTML},
}


router = APIRouter(tags=["offers"], route_class=PageRoute, responses=_RESPONSES, default_response_class=HTMLResponse)

Token = Annotated[str, Path(description="the token as in the email", json_schema_extra={"pattern": "^[A-Za-z0-9_-]+$"})]
"""The pattern is documentation only: any other text is an invalid link and gets that page."""


@dataclass(frozen=True)
class LinkedOffer:
    """The offer behind a link, with the details that its page shows."""

    offer: Offer
    details: SearchDetails
    definition: FrameworkDefinition | None

    @property
    def caller(self) -> Caller:
        return Caller("offer-link", self.details.council, frozenset(), self.offer.provider_id, by_link=True)


async def _find_linked_offer(
    token: Token, links: Annotated[OfferLinkSigner, inject(OfferLinkSigner)], queries: Queries, now: Now
) -> LinkedOffer:
    """Find the offer behind a link. Raises LinkNotValid, also for another provider's offer."""
    link = links.verify_token(token, now=now)
    details = await _find_search(link, queries)
    offer = details.search.find_offer(link.offer_id) if details is not None else None
    if details is None or offer is None or offer.provider_id != link.provider_id:
        raise LinkNotValid
    set_subject(PACKAGES, str(details.search.package_id))
    return LinkedOffer(offer, details, await queries.find_definition(details.search))


async def _find_search(link: OfferLink, queries: SearchQueries) -> SearchDetails | None:
    details = await queries.find_offer(link.offer_id)
    return await queries.find_search(details.package_id) if details is not None else None


OfferBehindLink = Annotated[LinkedOffer, Depends(_find_linked_offer)]
LinkBus = Annotated[CommandBus, Depends(get_command_bus_without_idempotency)]


# `:path`, so that a damaged link with a slash in it matches this route and gets the page for invalid links.
@router.get("/v1/offer-links/{token:path}")
async def show_offer_behind_link(linked: OfferBehindLink) -> Response:
    """Show the offer behind the link of an email as an HTML page. Opening the page does not answer the offer."""
    return build_page_response(build_offer_page(linked.details.search, linked.offer, linked.definition))


@router.post(
    "/v1/offer-links/{token:path}",
    responses=_ANSWER_RESPONSES,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": FORM}}}
    },
)
async def answer_by_link(linked: OfferBehindLink, request: Request, bus: LinkBus) -> Response:
    """Accept or decline the offer behind the link of an email; the HTML page says what was recorded."""
    search, definition = linked.details.search, linked.definition
    reasons = Reasons.list_keys(definition.reasons.decline) if definition is not None else ()
    answer = parse_answer_form(await request.body(), reasons)
    if isinstance(answer, FormMistake):
        return build_page_response(build_offer_page(search, linked.offer, definition, mistake=answer), status=422)
    command = AnswerOffer(search.package_id, linked.offer.offer_id, linked.offer.provider_id, answer)
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
