"""The response of a service to an HTTP request of a test."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(frozen=True)
class HttpResponse:
    """A response that was read completely."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")

    @property
    def body(self) -> Any:  # JSON of any shape
        """The decoded JSON, or the text if the content type is not JSON."""
        return json.loads(self.text) if "json" in self.headers.get("content-type", "") else self.text

    @property
    def detail(self) -> str:
        """The `detail` of a problem response."""
        detail: str = self.body["detail"]
        return detail


async def read_response(response: aiohttp.ClientResponse) -> HttpResponse:
    return HttpResponse(response.status, response.headers, await response.read())


def list_invalid_fields(response: HttpResponse) -> list[str]:
    """Lists the pointers to the fields that a problem response with status 422 names."""
    return [error["pointer"] for error in response.body["errors"]]
