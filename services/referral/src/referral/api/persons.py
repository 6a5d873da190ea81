"""The route that discloses the person of a package to the placed provider."""

from uuid import UUID

from fastapi import APIRouter, Response

from contracts.ids import PackageId
from referral.api.callers import NO_STORE, BusWithoutIdempotency, Provider, Queries, build_stream_key
from referral.api.person_bodies import PersonOut
from referral.domain.errors import PersonNotShown
from referral.domain.person import Person
from referral.handlers import ShowPerson, show_person
from service_runtime.http.commands import json_response
from service_runtime.http.problems import describe_problems
from service_runtime.idempotency import StoredResponse

router = APIRouter(tags=["persons"])


@router.get("/v1/packages/{package_id}/person", response_model=PersonOut, responses=describe_problems(404, 409))
async def show_person_of_package(
    package_id: UUID, caller: Provider, queries: Queries, bus: BusWithoutIdempotency
) -> Response:
    """The person of a package that is placed with the calling provider. Every disclosure is put on record."""
    referral = await queries.find_by_package(PackageId(package_id))
    if referral is None or (referral.council, referral.placed_with) != (caller.council, caller.as_provider):
        raise PersonNotShown
    command = ShowPerson(referral.package_id, caller.council, caller.as_provider)
    return await bus.execute(
        command, show_person, on=build_stream_key(referral.package_id), by=caller, respond=_respond_with_person
    )


def _respond_with_person(person: Person) -> StoredResponse:
    return json_response(PersonOut.model_validate(person), headers=(NO_STORE,))
