"""Read-only queries of webhook endpoints."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from service_runtime.postgres.database import Reader

# An endpoint that has accepted a webhook since then has recovered; its mark is cleared by the next check.
_ENDPOINT = text(
    """
    SELECT url, disabled_because, failing_since, failing_notice_at,
           failing_notice_at IS NOT NULL AND NOT EXISTS (
               SELECT 1 FROM deliveries WHERE deliveries.owner = endpoints.owner AND outcome = 'delivered'
                                          AND decided_at >= failing_since) AS is_failing
    FROM endpoints WHERE owner = :owner
    """
)
_COUNT_FAILING = text("SELECT count(*) FROM endpoints WHERE failing_notice_at IS NOT NULL AND disabled_because IS NULL")


@dataclass(frozen=True)
class EndpointState:
    """URL of an owner's webhook endpoint, why it is disabled, and since when it fails if its owner was notified."""

    url: str
    disabled_because: str | None
    failing_since: datetime | None = None
    failing_notice_at: datetime | None = None


async def find_endpoint_state(reader: Reader, owner: str) -> EndpointState | None:
    row = (await reader.execute(_ENDPOINT, {"owner": owner})).one_or_none()
    if row is None:
        return None
    failing = (row.failing_since, row.failing_notice_at) if row.is_failing else (None, None)
    return EndpointState(row.url, row.disabled_because, *failing)


async def count_failing_endpoints(reader: Reader) -> int:
    """Returns the number of enabled endpoints whose owners were notified that they accept nothing."""
    return (await reader.execute(_COUNT_FAILING)).scalar_one()
