"""Declared capacity in PostgreSQL."""

from typing import Final

from sqlalchemy import text

from contracts.ids import AreaCode, ProviderId
from provider_registry.ports import DeclaredCapacity
from service_runtime.postgres.database import Connection

TABLES: Final = """
CREATE TABLE capacities (
    provider_id uuid NOT NULL REFERENCES providers,
    area text NOT NULL,
    free_hours numeric(8, 2) NOT NULL,
    declared_at timestamptz NOT NULL,
    PRIMARY KEY (provider_id, area)
);
"""

DECLARE_CAPACITY = text(
    """
    INSERT INTO capacities (provider_id, area, free_hours, declared_at)
    VALUES (:provider_id, :area, :free_hours, :now)
    ON CONFLICT (provider_id, area) DO UPDATE
    SET free_hours = excluded.free_hours, declared_at = excluded.declared_at
    """
)
_CAPACITIES = text(
    "SELECT area, free_hours, declared_at FROM capacities WHERE provider_id = :provider_id ORDER BY area"
)


async def load_capacity(connection: Connection, provider_id: ProviderId) -> tuple[DeclaredCapacity, ...]:
    rows = await connection.execute(_CAPACITIES, {"provider_id": provider_id})
    return tuple(DeclaredCapacity(AreaCode(row.area), row.free_hours, row.declared_at) for row in rows)
