"""Branches of providers in PostgreSQL, with the histories of their ratings and of officers' findings."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.ids import BranchId, ProviderId
from provider_registry.domain.provider import Branch, BranchStatus, LocationFinding
from provider_registry.domain.ratings import RatingHistory, RatingRecord

TABLES: Final = """
CREATE TABLE branches (
    provider_id uuid NOT NULL REFERENCES providers,
    branch_id uuid NOT NULL,
    name text NOT NULL,
    outward_code text NOT NULL,
    domiciliary_care boolean NOT NULL,
    status text NOT NULL CHECK (status IN ('active', 'dormant', 'deregistered')),
    ratings jsonb NOT NULL,
    findings jsonb NOT NULL,
    PRIMARY KEY (provider_id, branch_id)
);
"""

SAVE_BRANCH = text(
    """
    INSERT INTO branches (provider_id, branch_id, name, outward_code, domiciliary_care, status, ratings, findings)
    VALUES (:provider_id, :branch_id, :name, :outward_code, :domiciliary_care, :status, CAST(:ratings AS jsonb),
            CAST(:findings AS jsonb))
    ON CONFLICT (provider_id, branch_id) DO UPDATE SET
        name = excluded.name, outward_code = excluded.outward_code, domiciliary_care = excluded.domiciliary_care,
        status = excluded.status, ratings = excluded.ratings, findings = excluded.findings
    """
)

_RATINGS: Final = TypeAdapter(tuple[RatingRecord, ...])
_FINDINGS: Final = TypeAdapter(tuple[LocationFinding, ...])


def to_branch_row(provider_id: ProviderId, branch: Branch) -> dict[str, object]:
    return {
        "provider_id": provider_id,
        "branch_id": branch.branch_id,
        "name": branch.name,
        "outward_code": branch.outward_code,
        "domiciliary_care": branch.domiciliary_care,
        "status": branch.status.value,
        "ratings": _RATINGS.dump_json(branch.ratings.records).decode(),
        "findings": _FINDINGS.dump_json(branch.findings).decode(),
    }


def to_branch(row: Mapping[str, Any]) -> Branch:  # one branch as PostgreSQL's row_to_json gives it
    return Branch(
        branch_id=BranchId(UUID(row["branch_id"])),
        name=row["name"],
        outward_code=row["outward_code"],
        domiciliary_care=row["domiciliary_care"],
        status=BranchStatus(row["status"]),
        ratings=RatingHistory(_RATINGS.validate_python(row["ratings"])),
        findings=_FINDINGS.validate_python(row["findings"]),
    )
