"""Marks of failing endpoints in the table of endpoints, and what the delivery log has about them."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.deliveries import DueDelivery, SettledDelivery
from service_runtime.webhooks.endpoint_health import (
    LAST_ANSWERS,
    EndpointAnswer,
    EndpointHealth,
    FailureTerms,
    build_check,
)
from service_runtime.webhooks.mail import MAILBOX
from service_runtime.webhooks.sending import PROXY_REFUSED, PROXY_UNREACHABLE

OUR_FAULTS: Final = frozenset({"secret unreadable", PROXY_REFUSED, PROXY_UNREACHABLE})
"""Failures that an owner cannot mend."""

_FIND_ENABLED = text(
    "SELECT failing_since FROM endpoints WHERE owner = :owner AND url = :url AND disabled_because IS NULL"
)
_MARK = text(
    """
    UPDATE endpoints SET failing_since = :since, failing_notice_at = NULL
    WHERE owner = :owner AND url = :url AND disabled_because IS NULL AND failing_since IS NULL
    """
)
# Deliveries are looked at in the order of queueing; the newest ones tell whether anything arrives anywhere.
_LOAD = text(
    f"""
    SELECT failing_since, failing_notice_at,
           EXISTS (SELECT 1 FROM deliveries WHERE deliveries.owner = endpoints.owner AND outcome = 'delivered'
                                              AND decided_at >= failing_since) AS has_succeeded,
           (SELECT count(*) FROM endpoints AS other
            WHERE other.owner <> endpoints.owner AND other.failing_since IS NOT NULL
              AND other.disabled_because IS NULL) >= 2
           AND NOT EXISTS (
               SELECT 1 FROM (SELECT outcome, decided_at, owner FROM deliveries
                              ORDER BY position DESC LIMIT 2000) AS newest
               WHERE outcome = 'delivered' AND decided_at >= failing_since AND owner NOT LIKE '{MAILBOX}%'
           ) AS others_fail_too
    FROM endpoints WHERE owner = :owner AND disabled_because IS NULL AND failing_since IS NOT NULL
    """  # noqa: S608  the prefix is a constant
)
_ANSWERS = text(
    """
    SELECT at, status, delivery_attempts.failure, took_ms FROM delivery_attempts
    JOIN deliveries ON deliveries.id = delivery_id
    WHERE owner = :owner AND delivery_attempts.failure IS NOT NULL AND at >= :since
    ORDER BY at DESC LIMIT :limit
    """
)
_RECORD_NOTICE = text(
    """
    UPDATE endpoints SET failing_notice_at = :now
    WHERE owner = :owner AND failing_since = :since AND failing_notice_at IS NULL AND disabled_because IS NULL
    """
)
_CLEAR = text(
    """
    UPDATE endpoints SET failing_since = NULL, failing_notice_at = NULL
    WHERE owner = :owner AND failing_since = :since
    """
)


def is_endpoint_failure(settled: SettledDelivery) -> bool:
    """True if an endpoint was asked and did not accept the webhook until it was given up."""
    due = settled.due
    return (
        settled.outcome == "undeliverable"
        and due.attempts > 0
        and due.url is not None
        and due.url != MAILBOX
        and not due.disabled
        and settled.failure not in OUR_FAULTS
    )


async def mark_failure(due: DueDelivery, work: PostgresUnitOfWork, terms: FailureTerms) -> None:
    """Marks the endpoint as failing since the first attempt of this delivery, unless it is marked already."""
    row = (await work.execute(_FIND_ENABLED, {"owner": due.owner, "url": due.url})).one_or_none()
    if row is None or row.failing_since is not None:
        return
    since = due.first_attempt_at or work.now
    work.write(_MARK, {"owner": due.owner, "url": due.url, "since": since})
    check = build_check(due.owner, max(work.now, since + terms.notice_after))
    work.schedule_on(StreamKey(terms.topic, due.owner), check)


class EndpointHealthTable:
    """Reads and changes the marks inside one unit of work."""

    def __init__(self, work: PostgresUnitOfWork) -> None:
        self._work = work

    async def load(self, owner: str) -> EndpointHealth | None:
        row = (await self._work.execute(_LOAD, {"owner": owner})).one_or_none()
        if row is None:
            return None
        answers = await self._load_answers(owner, row.failing_since)
        return EndpointHealth(
            row.failing_since,
            row.failing_notice_at,
            has_succeeded=row.has_succeeded,
            others_fail_too=row.others_fail_too,
            answers=answers,
        )

    def record_notice(self, owner: str, health: EndpointHealth) -> None:
        arguments = {"owner": owner, "since": health.failing_since, "now": self._work.now}
        self._work.write(_RECORD_NOTICE, arguments, rows=1)

    def clear(self, owner: str, health: EndpointHealth) -> None:
        self._work.write(_CLEAR, {"owner": owner, "since": health.failing_since}, rows=1)

    async def _load_answers(self, owner: str, since: datetime) -> tuple[EndpointAnswer, ...]:
        rows = await self._work.execute(_ANSWERS, {"owner": owner, "since": since, "limit": LAST_ANSWERS})
        return tuple(map(_to_answer, rows))


def _to_answer(row: Any) -> EndpointAnswer:  # a row's attributes are its columns
    return EndpointAnswer(row.at, row.status, row.failure, timedelta(milliseconds=row.took_ms))
