"""Routes for operators: records of Kafka that this service could not read and has passed."""

import base64
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from contracts.errors import NotFound
from service_runtime.dead_letters import unreadable_records
from service_runtime.dead_letters.unreadable_records import StoredRecord
from service_runtime.http.operations import Discard, Operator
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems
from service_runtime.unit_of_work.executor import Executor

router = APIRouter(tags=["operations"])


class UnreadableRecordNotFound(NotFound):
    """No unreadable record has this id."""


class UnreadableRecordOut(BaseModel):
    """A record that a consumer could not read and has passed; its bytes are on its own page."""

    id: UUID
    consumer: str = Field(description="the consumer group that passed it")
    topic: str
    partition: int
    offset: int
    because: str
    size: int = Field(description="bytes of key, headers and payload")
    sha256: str = Field(description="over key, headers and payload, each behind its length and a colon")
    found_at: datetime


class UnreadableRecordBytesOut(UnreadableRecordOut):
    """An unreadable record with its bytes in base64; of those together, the first 64 KiB are stored."""

    key: str | None
    headers: str = Field(description="a JSON list of name and value; each byte of a value is a character of Latin-1")
    payload: str | None
    discarded_at: datetime | None
    discarded_because: str | None


async def _get_executor(request: Request) -> Executor[Any]:
    return request.app.state.executor


# The type of the service's unit of work does not matter here.
ServiceExecutor = Annotated[Executor[Any], Depends(_get_executor)]


@router.get("/v1/unreadable", response_model=Page[UnreadableRecordOut], responses=describe_problems())
async def list_unreadable(
    _: Operator, executor: ServiceExecutor, cursor: Cursor = None, limit: Limit = 50
) -> Page[UnreadableRecordOut]:
    """Lists the records that could not be read and that nobody has discarded, newest first, without their bytes."""
    after = decode_cursor(cursor)
    async with executor.database.begin_transaction() as connection:
        rows = await unreadable_records.list_unreadable_records(connection, after=after, limit=limit + 1)
    return build_page(rows, limit, to_item=_to_out, position=lambda row: (row.found_at, row.id))


@router.get("/v1/unreadable/{record_id}", response_model=UnreadableRecordBytesOut, responses=describe_problems(404))
async def get_unreadable(record_id: UUID, _: Operator, executor: ServiceExecutor) -> UnreadableRecordBytesOut:
    """Returns one record with its bytes. They are foreign, and can contain anything: handle them with care."""
    async with executor.database.begin_transaction() as connection:
        found = await unreadable_records.find_unreadable_record(connection, record_id)
    if found is None:
        raise UnreadableRecordNotFound(f"no unreadable record {record_id} is stored; /v1/unreadable lists them")
    record, content = found
    return UnreadableRecordBytesOut(
        **_to_out(record).model_dump(),
        key=_encode(content.key),
        headers=base64.b64encode(content.headers).decode(),
        payload=_encode(content.payload),
        discarded_at=content.discarded_at,
        discarded_because=content.discarded_because,
    )


@router.post("/v1/unreadable/{record_id}/discard", status_code=204, responses=describe_problems(404))
async def discard_unreadable(
    record_id: UUID, order: Discard, operator: Operator, executor: ServiceExecutor
) -> Response:
    """Takes a record off the list; it is kept with the reason."""
    async with executor.database.begin_transaction() as connection:
        is_discarded = await unreadable_records.discard_unreadable_record(
            connection, record_id, because=f"{order.because} ({operator.actor})", at=executor.clock.now()
        )
    if not is_discarded:
        raise UnreadableRecordNotFound(f"no unreadable record {record_id} is listed; /v1/unreadable lists them")
    return Response(status_code=204)


def _to_out(record: StoredRecord) -> UnreadableRecordOut:
    return UnreadableRecordOut(
        id=record.id,
        consumer=record.consumer,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        because=record.cause,
        size=record.size,
        sha256=record.sha256.hex(),
        found_at=record.found_at,
    )


def _encode(stored: bytes | None) -> str | None:
    return None if stored is None else base64.b64encode(stored).decode()
