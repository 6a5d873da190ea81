"""Who calls sourcing, what they queries and order with, and what the routes of several callers have in common."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from contracts.catalogue import PACKAGES
from contracts.errors import NotFound
from contracts.ids import PackageId
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, command_bus
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.domain.search import Search
from sourcing.ports import SearchQueries

Provider = Annotated[Caller, Depends(require_scopes("offers:answer"))]
Officer = Annotated[Caller, Depends(require_scopes("sourcing:operate"))]
Reader = Annotated[Caller, Depends(require_scopes(("sourcing:operate", "audit:read")))]
Queries = Annotated[SearchQueries, inject(SearchQueries)]
Bus = Annotated[CommandBus, Depends(command_bus)]


class PackageNotFound(NotFound):
    """There is no such package in your council, or it has not reached sourcing yet."""


async def find_search(package_id: UUID, caller: Caller, queries: SearchQueries) -> Search:
    seen = await queries.find_search(PackageId(package_id))
    if seen is None or seen.council != caller.council:
        message = "no such package is known here; a package that was only just requested may take a second"
        raise PackageNotFound(message)
    return seen.search


def to_stream_key(package_id: PackageId) -> StreamKey:
    return StreamKey(PACKAGES, str(package_id))
