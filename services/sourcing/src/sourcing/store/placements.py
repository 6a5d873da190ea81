"""The table of placements; a unique index refuses a second valid placement of one package."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import text

from contracts.ids import OfferId, PlacementId, ProposalId, ProviderId
from contracts.values import Terms
from sourcing.domain.search import Placement, Search

TABLES: Final = """
CREATE TABLE placements (
    placement_id uuid PRIMARY KEY,
    package_id uuid NOT NULL REFERENCES searches,
    offer_id uuid UNIQUE REFERENCES offers,
    proposal_id uuid UNIQUE,
    provider_id uuid NOT NULL,
    area text NOT NULL,
    weekly_hours numeric(8, 2) NOT NULL,
    terms jsonb NOT NULL,
    placed_at timestamptz NOT NULL,
    voided boolean NOT NULL,
    CHECK (num_nonnulls(offer_id, proposal_id) = 1)
);
CREATE UNIQUE INDEX one_standing_placement_of_a_package ON placements (package_id) WHERE NOT voided;
CREATE INDEX placements_of_a_package ON placements (package_id, placed_at);
CREATE INDEX placements_of_a_provider ON placements (provider_id, area, placed_at) WHERE NOT voided;
"""

# A part of saving a search (`searches.py`).
SAVE_PLACEMENTS: Final = """
    INSERT INTO placements SELECT * FROM jsonb_populate_recordset(CAST(NULL AS placements), CAST(:placements AS jsonb))
    ON CONFLICT (placement_id) DO UPDATE SET voided = excluded.voided
"""
PLACED_SINCE = text(
    """
    SELECT declared.provider_id, coalesce(sum(weekly_hours), 0) AS hours
    FROM unnest(CAST(:providers AS uuid[]), CAST(:since AS timestamptz[])) AS declared(provider_id, since)
    JOIN placements ON placements.provider_id = declared.provider_id AND area = :area
                   AND placed_at >= declared.since AND NOT voided
    GROUP BY declared.provider_id
    """
)


def build_placement_row(search: Search, placement: Placement) -> Mapping[str, object]:
    """Build the row with all columns; `format_json` serializes it."""
    return {
        "placement_id": placement.placement_id,
        "package_id": search.package_id,
        "offer_id": placement.offer_id,
        "proposal_id": placement.proposal_id,
        "provider_id": placement.provider_id,
        "area": search.care.area,
        "weekly_hours": placement.weekly_hours,
        "terms": placement.terms.model_dump(mode="json"),
        "placed_at": placement.placed_at,
        "voided": placement.voided,
    }


def parse_placement(row: Mapping[str, Any]) -> Placement:  # one placement as PostgreSQL's row_to_json gives it
    return Placement(
        placement_id=PlacementId(UUID(row["placement_id"])),
        offer_id=None if row["offer_id"] is None else OfferId(UUID(row["offer_id"])),
        proposal_id=None if row["proposal_id"] is None else ProposalId(UUID(row["proposal_id"])),
        provider_id=ProviderId(UUID(row["provider_id"])),
        weekly_hours=Decimal(row["weekly_hours"]).quantize(Decimal("0.01")),
        terms=Terms.model_validate(row["terms"]),
        placed_at=datetime.fromisoformat(row["placed_at"]),
        voided=row["voided"],
    )
