"""The route that lists the archives of the record."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from audit.api.callers import Archives, Auditor
from service_runtime.http.problems import describe_problems

router = APIRouter(tags=["checks"])


class ArchiveOut(BaseModel):
    """One month of the record that is in a file."""

    name: str
    month: str = Field(description="the month in which the records arrived, such as 2026-03")
    records: int
    sha256: str = Field(description="SHA-256 of the file")
    archived_at: datetime


class ArchivesOut(BaseModel):
    archives: list[ArchiveOut]
    heads: str = Field(
        description="SHA-256 over the last archived event of each stream, after which the record here continues"
    )


@router.get("/v1/archives", response_model=ArchivesOut, responses=describe_problems())
async def list_archives(_: Auditor, archives: Archives) -> ArchivesOut:
    """The archives of the record, oldest first, and where the chains of the record continue after them."""
    return ArchivesOut(
        archives=[
            ArchiveOut(
                name=each.name,
                month=f"{each.month:%Y-%m}",
                records=each.row_count,
                sha256=each.sha256,
                archived_at=each.archived_at,
            )
            for each in await archives.list_archives()
        ],
        heads=await archives.compute_heads_digest(),
    )
