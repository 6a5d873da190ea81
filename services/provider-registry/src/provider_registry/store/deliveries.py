"""The delivery log, read from the webhook engine's tables."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from provider_registry.domain.messages import PACKAGE_AVAILABLE
from provider_registry.ports import DeliveryLogEntry
from service_runtime.webhooks.deliveries import Attempt
from service_runtime.webhooks.mail import is_mailbox

DELIVERIES_TO = text(
    """
    SELECT id, owner, kind, about, key, queued_at, outcome, failure, decided_at,
           (SELECT CAST(coalesce(json_agg(delivery_attempts ORDER BY attempt), '[]') AS text) FROM delivery_attempts
            WHERE delivery_id = deliveries.id) AS attempts
    FROM deliveries
    WHERE owner = ANY(CAST(:owners AS text[]))
      AND (queued_at, id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY queued_at DESC, id DESC LIMIT :limit
    """
)


def to_delivery_log_entry(row: Any) -> DeliveryLogEntry:  # a row's attributes are its columns
    return DeliveryLogEntry(
        id=row.id,
        kind=row.kind,
        is_mail=is_mailbox(row.owner),
        about=row.about,
        package_id=None if row.kind == PACKAGE_AVAILABLE else row.key,
        queued_at=row.queued_at,
        outcome=row.outcome,
        failure=row.failure,
        decided_at=row.decided_at,
        attempts=tuple(_to_attempt(each) for each in json.loads(row.attempts)),
    )


def _to_attempt(row: Mapping[str, Any]) -> Attempt:  # one attempt as PostgreSQL's row_to_json gives it
    return Attempt(
        number=row["attempt"],
        at=datetime.fromisoformat(row["at"]),
        took=timedelta(milliseconds=row["took_ms"]),
        status=row["status"],
        failure=row["failure"],
    )
