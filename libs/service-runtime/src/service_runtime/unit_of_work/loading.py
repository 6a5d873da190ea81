"""Loading of streams: one statement for all streams of a topic that wait, with the service's state of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.streams import Stream, StreamKey

# OFFSET 0 forces a lookup by key for each stream; otherwise the planner may scan a table.
_LOAD: Final = """
    SELECT wanted.key AS stream_key, stream.version AS stream_version, stream.last_hash AS stream_hash,
           stream.revision AS stream_revision, stream.parked_because IS NOT NULL AS stream_parked,
           EXISTS (
               SELECT 1 FROM journal JOIN outbox USING (position)
               WHERE journal.topic = $1 AND journal.key = wanted.key AND journal.version = stream.version
           ) AS stream_waiting{columns}
    FROM unnest($2::text[], $3::uuid[]) AS wanted(key, id)
    LEFT JOIN LATERAL (
        SELECT version, last_hash, revision, parked_because FROM streams
        WHERE streams.topic = $1 AND streams.key = wanted.key OFFSET 0) AS stream ON true
"""
_STATE: Final = "LEFT JOIN LATERAL ({query} OFFSET 0) AS state ON true"


@dataclass(frozen=True)
class StateQuery:
    """How a service loads its state of one topic's streams.

    `query` selects at most one row for `wanted.id`, the stream's key as a UUID (NULL if it is none). `parse` makes the
    state of its columns; it gets a row of NULLs if there is none. Any: rows and states differ between services.
    """

    topic: str
    query: str
    parse: Callable[[Any], Any]


class StreamLoader:
    """Loads streams with their state from a service's database."""

    def __init__(self, database: Database, states: Sequence[StateQuery]) -> None:
        self._database = database
        self._states: Mapping[str, StateQuery] = {state.topic: state for state in states}
        self._statements = {state.topic: _build_statement(state) for state in states}
        self._stateless = _LOAD.format(columns="")

    async def load(self, keys: Sequence[StreamKey]) -> list[Stream]:
        """Loads each of `keys`, in their order; a key without a row is a stream of revision 0."""
        by_topic: dict[str, list[str]] = {}
        for key in dict.fromkeys(keys):
            by_topic.setdefault(key.topic, []).append(key.key)
        loaded: dict[StreamKey, Stream] = {}
        for topic, names in by_topic.items():
            statement = self._statements.get(topic, self._stateless)
            rows = await self._database.fetch(statement, topic, names, [_parse_uuid(name) for name in names])
            loaded.update({stream.key: stream for stream in (self._to_stream(topic, row) for row in rows)})
        return [loaded[key] for key in keys]

    def _to_stream(self, topic: str, row: Any) -> Stream:  # a row's attributes are its columns
        key = StreamKey(topic, row.stream_key)
        state = self._states[topic].parse(row) if topic in self._states else None
        if row.stream_revision is None:
            return Stream(key, state=state)
        return Stream(
            key,
            row.stream_version,
            row.stream_hash,
            row.stream_revision,
            parked=row.stream_parked,
            state=state,
            is_waiting=row.stream_waiting,
        )


def _build_statement(state: StateQuery) -> str:
    return _LOAD.format(columns=", state.*") + _STATE.format(query=state.query)


def _parse_uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None
