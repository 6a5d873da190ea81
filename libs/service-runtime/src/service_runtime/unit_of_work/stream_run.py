"""A run of jobs on one stream: the stream as it was loaded, what was decided on it, and the stream after that."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from service_runtime.outbox import journal
from service_runtime.unit_of_work import streams
from service_runtime.unit_of_work.changes import Changes, Hold, QueuedDelivery
from service_runtime.unit_of_work.streams import Stream, StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.deliveries import encode_body


class StreamRun:
    """Collects the changes of jobs on one stream, and applies them together.

    `is_confirmed` tells that the stream was loaded or changed just now; one from the cache may be behind the database.
    """

    def __init__(self, stream: Stream, apply: Callable[[Changes], Awaitable[None]], *, is_confirmed: bool) -> None:
        self._apply = apply
        self._pending: Changes | None = None
        self.stream = stream
        """The stream at the revision that is decided on."""
        self.is_confirmed = is_confirmed

    @property
    def after(self) -> Stream:
        """The stream after everything that was decided."""
        return self.stream if self._pending is None else self._pending.after

    async def collect(self, work: PostgresUnitOfWork) -> Changes:
        """Returns what a unit of work decided, its events chained to what was decided before. Raises EventTooLarge."""
        now, cause, key = work.now, work.cause, self.stream.key
        changes = Changes(self.stream, after=self.after)
        changes.others = {**work.dependencies, **await self._load_others(work)}
        changes.others_after = changes.others | ({} if self._pending is None else self._pending.others_after)
        self._chain_events(work, changes)
        changes.after = replace(changes.after, state=work.state)
        changes.timers = {name: None if timer is None else (timer, cause) for name, timer in work.timers.items()}
        changes.deliveries = [
            QueuedDelivery(webhook.id or work.new_id(), key, webhook, cause, encode_body(webhook, at=now), now)
            for webhook in work.webhooks
        ]
        changes.cancelled_deliveries = work.cancelled_deliveries
        changes.holds = [
            Hold(view, name, work.projections.get_seen(view, name), key, cause.council) for view, name in work.held
        ]
        for table, row_key, row in work.rows:
            changes.put_row(table, row_key, row)
        changes.statements = work.statements
        changes.observations = work.observations
        return changes

    async def _load_others(self, work: PostgresUnitOfWork) -> dict[StreamKey, Stream]:
        """Loads the other streams that are published to, unless they are known in this run."""
        keys = {streams.stream_key_of(event) for event in work.events} - {self.stream.key}
        if not keys:
            return {}
        known = work.dependencies if self._pending is None else work.dependencies | self._pending.others
        unknown = sorted(keys - known.keys())
        return {stream.key: stream for stream in await work.context.load_streams(unknown)} if unknown else {}

    def _chain_events(self, work: PostgresUnitOfWork, changes: Changes) -> None:
        for event in work.events:
            key = streams.stream_key_of(event)
            is_own = key == self.stream.key
            chained, after = journal.chain_event(
                event,
                stream=changes.after if is_own else changes.others_after[key],
                event_id=work.new_id(),
                source=work.context.service,
                cause=work.cause,
                at=work.now,
            )
            changes.events.append(chained)
            if is_own:
                changes.after = after
            else:
                changes.others_after[key] = after

    def merge(self, changes: Changes) -> None:
        """Adds the changes of a unit of work to those that are applied next."""
        pending = self._pending
        if pending is None:
            self._pending = changes
            return
        pending.after = changes.after
        pending.others = {**changes.others, **pending.others}
        pending.others_after |= changes.others_after
        for table, rows in changes.rows.items():
            for row_key, row in rows.items():
                pending.put_row(table, row_key, row)
        pending.timers |= changes.timers
        pending.events += changes.events
        pending.handled_events += changes.handled_events
        pending.responses += changes.responses
        pending.fired_timers += changes.fired_timers
        pending.settled += changes.settled
        pending.cancelled_deliveries += changes.cancelled_deliveries
        pending.released_events += changes.released_events
        pending.holds += changes.holds
        pending.deliveries += changes.deliveries
        pending.statements += changes.statements
        pending.observations += changes.observations

    async def apply(self) -> None:
        """Applies what was decided, if anything. Raises RevisionConflict, and what the database raises.

        What was not applied stays pending, so that a later call does not report success.
        """
        changes = self._pending
        if changes is None:
            return
        await self._apply(changes)
        self.stream, self._pending = changes.committed, None
        self.is_confirmed = True
