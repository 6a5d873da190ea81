"""Routes that people open in a browser: their errors are HTML pages instead of problem+json."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from contracts.errors import CallOffError, NotFound
from service_runtime.http.problems import to_caller_error, to_problem_response
from sourcing.api.offer_pages import NOT_NOW, NOT_VALID, TOO_LARGE, OfferPage
from sourcing.api.rendering import render_page


class PageRoute(APIRoute):
    """Renders errors as HTML pages instead of problem+json, because people read them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return build_page_response(TOO_LARGE, status=error.status_code)
            except Exception as error:
                refusal = to_caller_error(error)
                if refusal is None:
                    raise
                return explain_refusal(refusal)

        return handle_or_explain


def explain_refusal(refusal: CallOffError) -> Response:
    """Build the error page; every invalid link gets the same one, so that it reveals nothing."""
    plain = to_problem_response(refusal)
    response = build_page_response(NOT_VALID if isinstance(refusal, NotFound) else NOT_NOW, status=plain.status_code)
    if "Retry-After" in plain.headers:
        response.headers["Retry-After"] = plain.headers["Retry-After"]
    return response


def build_page_response(page: OfferPage, *, status: int = 200) -> Response:
    html, headers = render_page(page)
    return Response(html, status, headers)
