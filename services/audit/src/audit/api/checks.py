"""Routes that check the record: violations found on arrival, and verification of the stored bytes."""

import base64
import binascii
import json
from contextlib import aclosing
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from audit.api.callers import Archives, Auditor, Queries
from audit.domain.errors import PackageArchived, PackageNotFound
from audit.domain.records import Fault, FaultKind, StreamName
from audit.domain.verification import (
    MAX_FAULTS,
    VerificationReport,
    Verifier,
    verify_streams,
)
from audit.ports import ArchiveQueries, RecordQueries, Violation
from contracts.errors import FieldError, InvalidInput
from contracts.ids import CouncilKey, PackageId
from service_runtime.http.paging import Cursor, Limit, Page, build_page, decode_cursor
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["checks"])

_Name = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_Names = TypeAdapter(tuple[_Name, _Name, _Name])


class FaultOut(BaseModel):
    kind: FaultKind
    topic: str
    partition: int
    offset: int
    event_id: UUID | None


class ViolationOut(FaultOut):
    found_at: datetime


class VerificationOut(BaseModel):
    """The result of a verification, which computes hashes, columns and chains again from the stored bytes."""

    verified: bool
    records: int
    streams: int
    found: int = Field(description="number of faults; at most 500 of them are listed")
    faults: list[FaultOut]
    next: str | None = Field(description="cursor of the next part of the record; null after the last part")


@router.get("/v1/violations", response_model=Page[ViolationOut], responses=describe_problems())
async def list_violations(
    caller: Auditor, queries: Queries, cursor: Cursor = None, limit: Limit = 50
) -> Page[ViolationOut]:
    """Faults found on arrival, newest first: in your council's events, and in records whose council cannot be read."""
    violations = await queries.list_violations(caller.council, after=decode_cursor(cursor), limit=limit + 1)
    return build_page(violations, limit, to_item=_to_violation_out, position=lambda row: (row.found_at, row.id))


PackageFilter = Annotated[UUID | None, Query(description="verify only the records of this package")]
PartCursor = Annotated[
    str | None, Query(max_length=2_000, description="`next` of the previous part; omit for the first part")
]
MinRecords = Annotated[
    int,
    Query(ge=1, le=1_000_000, description="end the part at the end of a stream, after at least this number of records"),
]


@router.get("/v1/verification", response_model=VerificationOut, responses=describe_problems(404))
async def verify_records(
    caller: Auditor,
    queries: Queries,
    archives: Archives,
    *,
    package_id: PackageFilter = None,
    cursor: PartCursor = None,
    records: MinRecords = 50_000,
) -> VerificationOut:
    """Verify the stored records of one package, or of the whole record in parts."""
    if package_id is not None:
        return _to_report_out(await _verify_package(PackageId(package_id), caller.council, queries, archives), None)
    return await _verify_part(_decode_cursor(cursor), records, queries)


async def _verify_package(
    package_id: PackageId, council: CouncilKey, queries: RecordQueries, archives: ArchiveQueries
) -> VerificationReport:
    rows = await queries.find_by_package(package_id)
    if not any(row.columns.council == council for row in rows):
        names = await archives.find_archives_of_package(package_id, council)
        raise PackageArchived(names) if names else PackageNotFound
    report = VerificationReport()
    for row, verified in sorted(zip(rows, verify_streams(rows), strict=True), key=lambda pair: pair[0].stream):
        report.add(row, verified)
    return report


async def _verify_part(after: StreamName | None, min_records: int, queries: RecordQueries) -> VerificationOut:
    """Verifies whole streams only: a chain can be verified only from its first event."""
    report = VerificationReport(await queries.find_missing(limit=MAX_FAULTS) if after is None else ())
    verifier, last = Verifier(), after
    async with aclosing(queries.stream_records(after)) as rows:
        async for row in rows:
            if report.records >= min_records and last is not None and row.stream != last:
                return _to_report_out(report, _encode_cursor(last))
            last = row.stream
            report.add(row, verifier.check(row))
    return _to_report_out(report, None)


def _encode_cursor(stream: StreamName) -> str:
    return base64.urlsafe_b64encode(json.dumps([stream.topic, stream.subject, stream.source]).encode()).decode()


def _decode_cursor(cursor: str | None) -> StreamName | None:
    if cursor is None:
        return None
    try:
        names = _Names.validate_json(base64.urlsafe_b64decode(cursor))
    except (ValueError, binascii.Error):
        raise InvalidInput(
            FieldError("query:cursor", "is not a valid cursor; use `next` of the previous part")
        ) from None
    return StreamName(*names)


def _to_fault_out(fault: Fault) -> FaultOut:
    position = fault.position
    return FaultOut(
        kind=fault.kind,
        topic=position.topic,
        partition=position.partition,
        offset=position.offset,
        event_id=fault.event_id,
    )


def _to_violation_out(violation: Violation) -> ViolationOut:
    return ViolationOut(**_to_fault_out(violation.fault).model_dump(), found_at=violation.found_at)


def _to_report_out(report: VerificationReport, next_cursor: str | None) -> VerificationOut:
    return VerificationOut(
        verified=report.found == 0,
        records=report.records,
        streams=report.streams,
        found=report.found,
        faults=[_to_fault_out(fault) for fault in report.faults],
        next=next_cursor,
    )
