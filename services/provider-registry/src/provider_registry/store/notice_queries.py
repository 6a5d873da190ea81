"""Queries and gauges of notices: the officers' call list, and who was told what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from sqlalchemy import text

from provider_registry.domain.notice import Notice
from provider_registry.ports.notices import NO_END, CallFilter, FoundNotice, NoticeFilter, QueuedMailPlace
from service_runtime.observability.instruments import GaugeSample, GaugeSpec
from service_runtime.postgres.database import Connection

_FOUND: Final = """
    SELECT CAST(row_to_json(notices) AS text) AS notice, providers.name, providers.phone
    FROM notices LEFT JOIN providers USING (provider_id)
"""
CALL_LIST = text(
    f"""
    {_FOUND}
    WHERE notices.council = :council AND settled_at IS NULL AND state = 'to call'
      AND (CAST(:area AS text) IS NULL OR facts ->> 'area' = :area)
      AND (CAST(:framework AS text) IS NULL OR facts ->> 'framework' = :framework)
      AND due_at < coalesce(CAST(:due_before AS timestamptz), 'infinity')
      AND (due_at, notice_id) > (coalesce(CAST(:after_at AS timestamptz), '-infinity'),
          coalesce(CAST(:after_id AS uuid), '00000000-0000-0000-0000-000000000000'))
    ORDER BY due_at, notice_id LIMIT :limit
    """
)
# Those that are not told have no end yet and come first.
_NEWEST_FIRST: Final = """
      AND (CAST(:state AS text) IS NULL OR state = :state)
      AND (coalesce(settled_at, :no_end), notice_id) < (coalesce(CAST(:after_at AS timestamptz), 'infinity'),
          coalesce(CAST(:after_id AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
    ORDER BY coalesce(settled_at, :no_end) DESC, notice_id DESC LIMIT :limit
"""
NOTICES_OF_PACKAGE = text(f"{_FOUND} WHERE notices.council = :council AND package_id = :package_id {_NEWEST_FIRST}")
NOTICES_OF_LIST = text(f"{_FOUND} WHERE notices.council = :council AND list_id = :list_id {_NEWEST_FIRST}")
NOTICES_OF_PROVIDER = text(f"{_FOUND} WHERE notices.council = :council AND provider_id = :provider_id {_NEWEST_FIRST}")
PENDING_NOTICES = text(f"{_FOUND} WHERE notices.council = :council AND settled_at IS NULL {_NEWEST_FIRST}")
NOTICE = text(f"{_FOUND} WHERE notices.council = :council AND notice_id = :notice_id")
MAIL = text(
    """
    SELECT id, topic, key FROM deliveries WHERE id = :mail_id AND council = :council AND owner LIKE 'mailto:%'
    """
)

_PENDING = text(
    """
    SELECT kind, state, count(*) AS number, count(*) FILTER (WHERE due_at < :now) AS overdue
    FROM notices WHERE settled_at IS NULL GROUP BY kind, state ORDER BY kind, state
    """
)

_NOTICE_ADAPTER: Final = TypeAdapter(Notice)


def to_found_notice(row: Any) -> FoundNotice:  # a row's attributes are its columns
    return FoundNotice(_NOTICE_ADAPTER.validate_json(row.notice), row.name, row.phone)


def to_mail_place(row: Any) -> QueuedMailPlace:  # a row's attributes are its columns
    return QueuedMailPlace(row.id, row.topic, row.key)


def choose_calls(chosen: CallFilter) -> dict[str, object]:
    return {"area": chosen.area, "framework": chosen.framework, "due_before": chosen.due_before}


def choose_notices(chosen: NoticeFilter) -> tuple[Any, dict[str, object]]:  # Any: a statement
    """Returns the statement that has an index for what was chosen, and its arguments."""
    arguments: dict[str, object] = {
        "state": None if chosen.state is None else chosen.state.value,
        "no_end": NO_END,
    }
    if chosen.package_id is not None:
        return NOTICES_OF_PACKAGE, {**arguments, "package_id": chosen.package_id}
    if chosen.list_id is not None:
        return NOTICES_OF_LIST, {**arguments, "list_id": chosen.list_id}
    if chosen.provider_id is not None:
        return NOTICES_OF_PROVIDER, {**arguments, "provider_id": chosen.provider_id}
    return PENDING_NOTICES, arguments


async def _count_pending(connection: Connection, now: datetime) -> Sequence[GaugeSample]:
    rows = await connection.execute(_PENDING, {"now": now})
    return [GaugeSample(row.number, (row.kind, row.state)) for row in rows]


async def _count_overdue(connection: Connection, now: datetime) -> Sequence[GaugeSample]:
    rows = await connection.execute(_PENDING, {"now": now})
    return [GaugeSample(row.overdue, (row.kind, row.state)) for row in rows]


NOTICE_GAUGES: Final = (
    GaugeSpec(
        "calloff_notices_pending",
        "Notices that are being sent, or wait for an officer's call",
        _count_pending,
        labels=("kind", "state"),
    ),
    GaugeSpec(
        "calloff_notices_overdue",
        "Notices whose provider should have been told by now",
        _count_overdue,
        labels=("kind", "state"),
    ),
)
