"""The table of placements; a unique index refuses a second valid placement of one package."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from contracts.events.providers import CapacityDeclared
from contracts.ids import ActId, BidId, OfferId, PlacementId, ProposalId, ProviderId
from contracts.values import Terms
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.rounds import Rounds
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
    framework text NOT NULL,
    lot text NOT NULL,
    manual_id uuid UNIQUE,
    bid_id uuid UNIQUE,
    CHECK (num_nonnulls(offer_id, proposal_id, manual_id, bid_id) = 1)
);
CREATE UNIQUE INDEX one_standing_placement_of_a_package ON placements (package_id) WHERE NOT voided;
CREATE INDEX placements_of_a_package ON placements (package_id, placed_at);
CREATE INDEX placements_of_an_area ON placements (framework, lot, area, provider_id, placed_at) WHERE NOT voided;
CREATE INDEX placements_of_a_provider ON placements (provider_id, area, placed_at) WHERE NOT voided;
"""

# A part of the statement that saves searches (`searches.py`).
SAVE_PLACEMENTS: Final = """
    INSERT INTO placements SELECT * FROM jsonb_populate_recordset(CAST(NULL AS placements), :rows -> 'placements')
    ON CONFLICT (placement_id) DO UPDATE SET voided = excluded.voided
"""
_PLACED_SINCE: Final = """
    SELECT declared.number, coalesce(sum(weekly_hours), 0) AS hours
    FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS declared(provider_id, area, since, number)
    JOIN placements ON placements.provider_id = declared.provider_id AND placements.area = declared.area
                   AND placed_at >= declared.since AND NOT voided
    GROUP BY declared.number
"""


class PlacedHours:
    """Weekly hours placed with providers since an instant, read in one statement for all decisions that wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rounds = Rounds[Sequence[CapacityDeclared], list[Decimal]](self._read)

    async def sum_since(self, declared: Sequence[CapacityDeclared]) -> list[Decimal]:
        """Return, for each declaration, the hours placed with its provider in its area since it was made."""
        return await self._rounds.submit(declared)

    async def _read(self, requests: Sequence[Sequence[CapacityDeclared]]) -> list[list[Decimal]]:
        every = [each for declared in requests for each in declared]
        rows = await self._database.fetch(
            _PLACED_SINCE,
            [each.provider_id for each in every],
            [each.area for each in every],
            [each.declared_at for each in every],
        )
        hours = {row.number: row.hours for row in rows}
        sums = iter([hours.get(number, Decimal(0)) for number in range(1, len(every) + 1)])
        return [[next(sums) for _ in declared] for declared in requests]


def build_placement_row(search: Search, placement: Placement) -> Mapping[str, object]:
    """Build the row with all columns."""
    return {
        "placement_id": placement.placement_id,
        "package_id": search.package_id,
        "offer_id": placement.offer_id,
        "proposal_id": placement.proposal_id,
        "manual_id": placement.manual_id,
        "bid_id": placement.bid_id,
        "provider_id": placement.provider_id,
        "framework": search.care.framework,
        "lot": search.care.lot,
        "area": search.care.area,
        "weekly_hours": placement.weekly_hours,
        "terms": placement.terms,
        "placed_at": placement.placed_at,
        "voided": placement.voided,
    }


def parse_placement(row: Mapping[str, Any]) -> Placement:  # one placement as PostgreSQL's row_to_json gives it
    return Placement(
        placement_id=PlacementId(UUID(row["placement_id"])),
        offer_id=None if row["offer_id"] is None else OfferId(UUID(row["offer_id"])),
        proposal_id=None if row["proposal_id"] is None else ProposalId(UUID(row["proposal_id"])),
        manual_id=None if row["manual_id"] is None else ActId(UUID(row["manual_id"])),
        bid_id=None if row["bid_id"] is None else BidId(UUID(row["bid_id"])),
        provider_id=ProviderId(UUID(row["provider_id"])),
        weekly_hours=Decimal(row["weekly_hours"]).quantize(Decimal("0.01")),
        terms=Terms.model_validate(row["terms"]),
        placed_at=datetime.fromisoformat(row["placed_at"]),
        voided=row["voided"],
    )
