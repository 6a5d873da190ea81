"""Applying of changes: the arguments of the database function `apply_changes`, and its results."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic_core import to_json

from service_runtime.outbox.journal import ChainedEvent
from service_runtime.postgres.apply_function import CONFLICT, PARAMETERS
from service_runtime.postgres.errors import StatementRefused
from service_runtime.unit_of_work.changes import Changes, QueuedDelivery
from service_runtime.unit_of_work.streams import Stream
from service_runtime.webhooks.deliveries import SettledDelivery

_STATE_PARAMETER: Final = f"${len(PARAMETERS) + 1}"
_CALL: Final = f"SELECT * FROM apply_changes({', '.join(f'${n}' for n in range(1, len(PARAMETERS) + 1))})"  # noqa: S608  our own text


@dataclass(frozen=True)
class StartedDelivery:
    """A new delivery that was claimed as it was queued, with the address and encrypted secrets of its endpoint."""

    id: UUID
    url: str
    secrets: tuple[bytes, ...]


@dataclass(frozen=True)
class Applied:
    """The positions of the events of all changes in the journal, in their order, and the deliveries to start."""

    positions: list[int]
    started: dict[UUID, StartedDelivery]
    unstarted: frozenset[UUID]
    """Deliveries that were queued and not claimed."""


def build_statement(save_rows: str) -> str:
    """Builds the statement that applies changes together with the service's rows.

    `save_rows` are common table expressions, which read their rows from the JSON value `:rows`.
    """
    if not save_rows:
        return _CALL
    rows = f"CAST({_STATE_PARAMETER} AS jsonb)"
    return f"WITH applied AS MATERIALIZED ({_CALL}), {save_rows.replace(':rows', rows)} SELECT * FROM applied"  # noqa: S608  our own text


def encode_rows(units: Sequence[Changes]) -> str | None:
    """Encodes the rows of all changes as JSON, by table; None if there are none.

    Values may be pydantic models and dataclasses, for columns of type jsonb. Raises StatementRefused for text that is
    no Unicode, as the database driver does for the other values.
    """
    rows: dict[str, dict[Hashable, Mapping[str, object]]] = {}
    for unit in units:
        for table, by_key in unit.rows.items():
            rows.setdefault(table, {}).update(by_key)
    if not rows:
        return None
    try:
        return to_json({table: list(by_key.values()) for table, by_key in rows.items()}).decode()
    except ValueError as error:
        message = f"{type(error).__name__}: a value does not fit its column; check its type"
        raise StatementRefused(message, sqlstate="") from None


def find_conflicts(error: StatementRefused) -> list[int] | None:
    """Returns the numbers of the units that a conflict names; None if the error is no conflict."""
    if error.sqlstate != CONFLICT:
        return None
    return [int(number) for number in error.detail.split(",")]


def parse_applied(rows: Sequence[Any]) -> Applied:  # a row's attributes are its columns
    started = [
        StartedDelivery(
            row.queued_delivery,
            row.endpoint_url,
            tuple(each for each in (row.endpoint_secret, row.endpoint_previous_secret) if each is not None),
        )
        for row in rows
        if row.endpoint_url is not None
    ]
    positions = [row.journal_position for row in rows if row.journal_position is not None]
    queued = {row.queued_delivery for row in rows if row.queued_delivery is not None}
    return Applied(positions, {each.id: each for each in started}, frozenset(queued - {each.id for each in started}))


def build_arguments(
    units: Sequence[Changes],
    *,
    now: datetime,
    leases: Mapping[UUID, UUID],
    lease: timedelta,
    acknowledged: Sequence[int],
    settled: Sequence[SettledDelivery] = (),
) -> list[object]:
    """Builds the arguments of `apply_changes` in the order of PARAMETERS.

    `leases` has the id of a lease for each new delivery that this process would start at once; `settled` are deliveries
    whose result no handler follows.
    """
    return [
        now,
        *_build_stream_arguments(units),
        *_build_claim_arguments(units),
        *_build_settlement_arguments(units, settled),
        *_transpose([(number, each) for number, unit in enumerate(units) for each in unit.cancelled_deliveries], 2),
        [each for unit in units for each in unit.released_events],
        *_build_hold_arguments(units),
        *_build_timer_arguments(units),
        *_build_delivery_arguments([each for unit in units for each in unit.deliveries], leases),
        now + lease,
        acknowledged,
        *_build_event_arguments([each for unit in units for each in unit.events]),
    ]


def _transpose(rows: Sequence[Sequence[object]], width: int) -> Sequence[Sequence[object]]:
    """Returns the columns of `rows`; `width` empty columns if there are no rows."""
    return list(zip(*rows, strict=True)) if rows else [()] * width


def _build_stream_arguments(units: Sequence[Changes]) -> Sequence[Sequence[object]]:
    rows: list[tuple[object, ...]] = []
    for number, unit in enumerate(units):
        rows.append((number, *_to_stream_row(unit.stream, unit.after)))
        rows += [(number, *_to_stream_row(other, unit.others_after[key])) for key, other in unit.others.items()]
    return _transpose(rows, 6)


def _to_stream_row(before: Stream, after: Stream) -> tuple[object, ...]:
    changed = after.version != before.version
    return (
        before.key.topic,
        before.key.key,
        before.revision,
        after.version if changed else None,
        after.last_hash if changed else None,
    )


def _build_claim_arguments(units: Sequence[Changes]) -> Sequence[Sequence[object]]:
    numbered = list(enumerate(units))
    responses = [(number, *each.to_row()) for number, unit in numbered for each in unit.responses]
    return [
        *_transpose([(number, each) for number, unit in numbered for each in unit.handled_events], 2),
        *_transpose(responses, 7),
        *_transpose([(number, *each) for number, unit in numbered for each in unit.fired_timers], 3),
    ]


def _build_settlement_arguments(
    units: Sequence[Changes], settled: Sequence[SettledDelivery]
) -> Sequence[Sequence[object]]:
    claims = [(number, *each.to_row()) for number, unit in enumerate(units) for each in unit.settled]
    return _transpose([*claims, *((None, *each.to_row()) for each in settled)], 13)


def _build_hold_arguments(units: Sequence[Changes]) -> Sequence[Sequence[object]]:
    return _transpose(
        [
            (number, each.view, each.key, each.seen, each.stream.topic, each.stream.key, each.council)
            for number, unit in enumerate(units)
            for each in unit.holds
        ],
        7,
    )


def _build_timer_arguments(units: Sequence[Changes]) -> Sequence[Sequence[object]]:
    disarmed: list[tuple[object, ...]] = []
    armed: list[tuple[object, ...]] = []
    for unit in units:
        for (stream, kind, about), change in unit.timers.items():
            name = (stream.topic, stream.key, kind, about)
            if change is None:
                disarmed.append(name)
            else:
                timer, cause = change
                armed.append((*name, timer.at, int(timer.precedence), cause.council, cause.id, cause.traceparent))
    return [*_transpose(disarmed, 4), *_transpose(armed, 9)]


def _build_delivery_arguments(
    deliveries: Sequence[QueuedDelivery], leases: Mapping[UUID, UUID]
) -> Sequence[Sequence[object]]:
    return _transpose(
        [
            (
                each.id,
                each.webhook.owner,
                each.stream.topic,
                each.stream.key,
                each.webhook.kind,
                each.webhook.about,
                each.cause.council,
                each.cause.id,
                each.cause.traceparent,
                each.body,
                each.webhook.give_up_after,
                each.at,
                each.webhook.only_with_endpoint,
                leases.get(each.id),
            )
            for each in deliveries
        ],
        14,
    )


def _build_event_arguments(events: Sequence[ChainedEvent]) -> Sequence[Sequence[object]]:
    return _transpose([each.to_journal_row() for each in events], 11)
