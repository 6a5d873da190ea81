"""Repository of spot prices and their decisions on PostgreSQL."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.events.listings import AwardEnd
from contracts.ids import AwardId, CouncilKey, FrameworkKey, PackageId, ProposalId, ProviderId, ReasonKey
from contracts.values import Terms
from pricing.domain.approvals import Decision, SpotPrice
from service_runtime.unit_of_work.loading import StateQuery
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE spot_prices (
    award_id uuid PRIMARY KEY,
    council text NOT NULL,
    package_id uuid NOT NULL,
    proposal_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    terms jsonb NOT NULL,
    ceiling numeric(12, 2) NOT NULL,
    first_officer text NOT NULL,
    inadequate_reason text,
    asked_at timestamptz NOT NULL,
    lapsed_because text,
    late_decisions jsonb NOT NULL DEFAULT '[]',
    UNIQUE (award_id, first_officer)
);
CREATE INDEX spot_prices_of_a_package ON spot_prices (package_id);
CREATE INDEX spot_prices_of_a_council ON spot_prices (council, asked_at DESC, award_id DESC);

CREATE TABLE price_decisions (
    award_id uuid CONSTRAINT one_decision_of_an_award PRIMARY KEY,
    first_officer text NOT NULL,
    officer text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approved', 'refused')),
    refusal text,
    decided_at timestamptz NOT NULL,
    FOREIGN KEY (award_id, first_officer) REFERENCES spot_prices (award_id, first_officer),
    CONSTRAINT two_people CHECK
        (substr(officer, strpos(officer, ':') + 1) <> substr(first_officer, strpos(first_officer, ':') + 1)),
    CHECK ((decision = 'refused') = (refusal IS NOT NULL))
);

CREATE TABLE listed_packages (
    package_id uuid PRIMARY KEY,
    framework text NOT NULL
);
"""
"""An award does not state its framework; the listing that precedes it in the package's stream does."""

_PRICE_COLUMNS: Final = """
    spot_prices.award_id, package_id, proposal_id, provider_id, CAST(terms AS text) AS terms, ceiling,
    spot_prices.first_officer, inadequate_reason, asked_at, lapsed_because,
    CAST(late_decisions AS text) AS late_decisions, officer, refusal, decided_at
    FROM spot_prices LEFT JOIN price_decisions USING (award_id)
"""
_SPOT_PRICE = text(f"SELECT {_PRICE_COLUMNS} WHERE award_id = :award_id")
SPOT_PRICE_OF_COUNCIL = text(f"SELECT {_PRICE_COLUMNS} WHERE award_id = :award_id AND council = :council")
_PENDING_OF_PACKAGE = text(
    f"""
    SELECT {_PRICE_COLUMNS}
    WHERE package_id = :package_id AND lapsed_because IS NULL AND decision IS NULL ORDER BY asked_at, award_id
    """
)
SPOT_PRICES_OF_COUNCIL = text(
    f"""
    SELECT {_PRICE_COLUMNS}
    WHERE council = :council
      AND (CAST(:status AS text) IS NULL
           OR CAST(:status AS text)
              = coalesce(decision, CASE WHEN lapsed_because IS NULL THEN 'pending' ELSE 'lapsed' END))
      AND (asked_at, award_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY asked_at DESC, award_id DESC LIMIT :limit
    """
)
_ADD_PRICE = text(
    """
    INSERT INTO spot_prices (award_id, council, package_id, proposal_id, provider_id, terms, ceiling, first_officer,
                             inadequate_reason, asked_at)
    VALUES (:award_id, :council, :package_id, :proposal_id, :provider_id, CAST(:terms AS jsonb), :ceiling,
            :first_officer, :inadequate_reason, :asked_at)
    """
)
_LAPSE = text("UPDATE spot_prices SET lapsed_because = :because WHERE award_id = :award_id")
_SAVE_LATE_DECISIONS = text("UPDATE spot_prices SET late_decisions = CAST(:late AS jsonb) WHERE award_id = :award_id")
_DECIDE = text(
    """
    INSERT INTO price_decisions (award_id, first_officer, officer, decision, refusal, decided_at)
    VALUES (:award_id, :first_officer, :officer, :decision, :refusal, :decided_at)
    """
)
_SAVE_LISTING = text(
    """
    INSERT INTO listed_packages (package_id, framework) VALUES (:package_id, :framework)
    ON CONFLICT (package_id) DO UPDATE SET framework = excluded.framework
    """
)
_FRAMEWORK_OF_PACKAGE = text("SELECT framework FROM listed_packages WHERE package_id = :package_id")

_DECISIONS: Final = TypeAdapter(tuple[Decision, ...])


class PostgresSpotPrices:
    """Repository of a council's prices above a ceiling."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work
        self._council = CouncilKey(work.cause.council)

    async def save_listing(self, package_id: PackageId, framework: FrameworkKey) -> None:
        self._work.write(_SAVE_LISTING, {"package_id": package_id, "framework": framework})

    async def find_framework(self, package_id: PackageId) -> FrameworkKey | None:
        row = (await self._work.execute(_FRAMEWORK_OF_PACKAGE, {"package_id": package_id})).one_or_none()
        return None if row is None else FrameworkKey(row.framework)

    async def get(self, award_id: AwardId) -> SpotPrice | None:
        row = (await self._work.execute(_SPOT_PRICE, {"award_id": award_id})).one_or_none()
        return None if row is None else to_spot_price(row)

    async def list_pending(self, package_id: PackageId) -> Sequence[SpotPrice]:
        if not self._work.state:  # of most packages no price was ever above a ceiling
            return []
        rows = await self._work.execute(_PENDING_OF_PACKAGE, {"package_id": package_id})
        return [to_spot_price(each) for each in rows]

    async def add(self, price: SpotPrice) -> None:
        self._work.state = True
        self._work.write(
            _ADD_PRICE,
            {
                "award_id": price.award_id,
                "council": self._council,
                "package_id": price.package_id,
                "proposal_id": price.proposal_id,
                "provider_id": price.provider_id,
                "terms": price.terms.model_dump_json(),
                "ceiling": price.ceiling,
                "first_officer": price.first_officer,
                "inadequate_reason": price.inadequate_reason,
                "asked_at": price.asked_at,
            },
        )

    async def save(self, price: SpotPrice, *, before: SpotPrice) -> None:
        if price.decision is not None and price.decision != before.decision:
            self._work.write(_DECIDE, _to_decision_row(price, price.decision))
        if price.lapsed_because is not None and price.lapsed_because is not before.lapsed_because:
            self._work.write(_LAPSE, {"award_id": price.award_id, "because": price.lapsed_because.value})
        if price.late_decisions != before.late_decisions:
            late = _DECISIONS.dump_json(price.late_decisions).decode()
            self._work.write(_SAVE_LATE_DECISIONS, {"award_id": price.award_id, "late": late})


def _to_decision_row(price: SpotPrice, decision: Decision) -> Mapping[str, object]:
    return {
        "award_id": price.award_id,
        "first_officer": price.first_officer,
        "officer": decision.officer,
        "decision": decision.status.value,
        "refusal": decision.refusal,
        "decided_at": decision.at,
    }


def _parse_state(row: Any) -> bool:  # a row's attributes are its columns
    return bool(row.has_pending)


PENDING_STATE: Final = StateQuery(
    PACKAGES,
    """
    SELECT EXISTS (
        SELECT 1 FROM spot_prices LEFT JOIN price_decisions USING (award_id)
        WHERE package_id = wanted.id AND lapsed_because IS NULL AND decision IS NULL
    ) AS has_pending
    """,
    _parse_state,
)
"""Of each package's stream: whether a price waits for a second officer, or has waited."""


def to_spot_price(row: Any) -> SpotPrice:  # a row's attributes are its columns
    inadequate, lapsed = row.inadequate_reason, row.lapsed_because
    return SpotPrice(
        award_id=AwardId(row.award_id),
        package_id=PackageId(row.package_id),
        proposal_id=ProposalId(row.proposal_id),
        provider_id=ProviderId(row.provider_id),
        terms=Terms.model_validate_json(row.terms),
        ceiling=row.ceiling,
        first_officer=row.first_officer,
        inadequate_reason=None if inadequate is None else ReasonKey(inadequate),
        asked_at=row.asked_at,
        decision=_to_decision(row),
        lapsed_because=None if lapsed is None else AwardEnd(lapsed),
        late_decisions=_DECISIONS.validate_json(row.late_decisions),
    )


def _to_decision(row: Any) -> Decision | None:  # a row's attributes are its columns
    if row.decided_at is None:
        return None
    return Decision(row.officer, row.decided_at, None if row.refusal is None else ReasonKey(row.refusal))
