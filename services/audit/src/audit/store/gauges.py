"""Gauges of the record."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from service_runtime.observability.instruments import GaugeSample, GaugeSpec
from service_runtime.postgres.database import Connection

_FAULTS: Final = text("SELECT count(*) FROM violations")


async def _count_faults(connection: Connection, _: datetime) -> Sequence[GaugeSample]:
    return [GaugeSample((await connection.execute(_FAULTS)).scalar_one())]


GAUGES: Final = (GaugeSpec("calloff_audit_violations", "Faults that were found in chains and hashes", _count_faults),)
