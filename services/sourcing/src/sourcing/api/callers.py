"""Dependencies of sourcing's routes: callers with their scopes, queries, and the command bus."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends

from contracts.catalogue import PACKAGES
from contracts.errors import NotFound
from contracts.ids import PackageId
from service_runtime.http.app import inject
from service_runtime.http.auth import Caller, require_scopes
from service_runtime.http.commands import CommandBus, get_command_bus
from service_runtime.unit_of_work.streams import StreamKey
from sourcing.domain.search import Search
from sourcing.ports import SearchQueries

Provider = Annotated[Caller, Depends(require_scopes("offers:answer"))]
Officer = Annotated[Caller, Depends(require_scopes("sourcing:operate"))]
Reader = Annotated[Caller, Depends(require_scopes(("sourcing:operate", "audit:read")))]
Queries = Annotated[SearchQueries, inject(SearchQueries)]
Bus = Annotated[CommandBus, Depends(get_command_bus)]


class PackageNotFound(NotFound):
    """The council has no such package, or sourcing has not received it yet."""


async def find_search(package_id: UUID, caller: Caller, queries: SearchQueries) -> Search:
    details = await queries.find_search(PackageId(package_id))
    if details is None or details.council != caller.council:
        message = "no such package is known here; if it was requested just now, try again in a second"
        raise PackageNotFound(message)
    return details.search


def to_stream_key(package_id: PackageId) -> StreamKey:
    return StreamKey(PACKAGES, str(package_id))
