"""Repository of selected rates on PostgreSQL."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.events.rates import SelectedRate, Selection
from contracts.ids import AreaCode, FrameworkKey, ProviderId
from pricing.domain.rates import RateScope
from pricing.ports import ListedSelection
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork

TABLES: Final = """
CREATE TABLE selections (
    selection_id uuid PRIMARY KEY,
    council text NOT NULL,
    provider_id uuid NOT NULL,
    framework text NOT NULL,
    area text NOT NULL,
    valid_from date NOT NULL,
    matrix_version integer NOT NULL,
    rates jsonb NOT NULL,
    selected_at timestamptz NOT NULL,
    CONSTRAINT one_selection_a_day UNIQUE (provider_id, framework, area, valid_from)
);
CREATE INDEX selections_of_a_council ON selections (council, selected_at DESC, selection_id DESC);
"""

_SELECTIONS_OF_PROVIDER = text(
    """
    SELECT valid_from, matrix_version, CAST(rates AS text) AS rates FROM selections
    WHERE provider_id = :provider_id AND framework = :framework AND area = :area ORDER BY valid_from
    """
)
SELECTIONS_OF_AREA = text(
    """
    SELECT valid_from, matrix_version, CAST(rates AS text) AS rates FROM selections
    WHERE provider_id = :provider_id AND framework = :framework AND area = :area AND council = :council
    ORDER BY valid_from
    """
)
_UPSERT_SELECTION = text(
    """
    INSERT INTO selections (selection_id, council, provider_id, framework, area, valid_from, matrix_version, rates,
                            selected_at)
    VALUES (:selection_id, :council, :provider_id, :framework, :area, :valid_from, :matrix_version,
            CAST(:rates AS jsonb), :now)
    ON CONFLICT ON CONSTRAINT one_selection_a_day DO UPDATE SET
        selection_id = excluded.selection_id, matrix_version = excluded.matrix_version, rates = excluded.rates,
        selected_at = excluded.selected_at
    """
)
SELECTIONS_OF_COUNCIL = text(
    """
    SELECT selection_id, provider_id, framework, area, valid_from, matrix_version, CAST(rates AS text) AS rates,
           selected_at
    FROM selections
    WHERE council = :council
      AND (CAST(:provider_id AS uuid) IS NULL OR provider_id = :provider_id)
      AND (CAST(:framework AS text) IS NULL OR framework = :framework)
      AND (CAST(:area AS text) IS NULL OR area = :area)
      AND (selected_at, selection_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY selected_at DESC, selection_id DESC LIMIT :limit
    """
)
SELECTIONS_OF_DAY = text(
    """
    SELECT * FROM (
        SELECT DISTINCT ON (provider_id, area) selection_id, provider_id, framework, area, valid_from, matrix_version,
               CAST(rates AS text) AS rates, selected_at
        FROM selections
        WHERE council = :council AND framework = :framework AND valid_from <= :day
        ORDER BY provider_id, area, valid_from DESC
    ) AS current ORDER BY selected_at DESC, selection_id DESC
    """
)

_RATES: Final = TypeAdapter(tuple[SelectedRate, ...])


class PostgresRates:
    """Repository of a council's selections."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def list_selections(self, scope: RateScope) -> tuple[Selection, ...]:
        rows = await self._work.execute(_SELECTIONS_OF_PROVIDER, to_scope_row(scope))
        return tuple(map(to_selection, rows))

    async def save_selection(self, scope: RateScope, selection: Selection) -> None:
        self._work.write(
            _UPSERT_SELECTION,
            {
                **to_scope_row(scope),
                "selection_id": self._work.new_id(),
                "council": self._work.cause.council,
                "valid_from": selection.valid_from,
                "matrix_version": selection.matrix_version,
                "rates": _RATES.dump_json(selection.rates).decode(),
                "now": self._work.now,
            },
        )


def to_scope_row(scope: RateScope) -> Mapping[str, object]:
    return {"provider_id": scope.provider_id, "framework": scope.framework, "area": scope.area}


def to_rate_scope(row: Any) -> RateScope:  # a row's attributes are its columns
    return RateScope(ProviderId(row.provider_id), FrameworkKey(row.framework), AreaCode(row.area))


def to_selection(row: Any) -> Selection:  # a row's attributes are its columns
    return Selection(
        valid_from=row.valid_from, matrix_version=row.matrix_version, rates=_RATES.validate_json(row.rates)
    )


def to_listed_selection(row: Any) -> ListedSelection:  # a row's attributes are its columns
    return ListedSelection(row.selection_id, to_rate_scope(row), to_selection(row), row.selected_at)
