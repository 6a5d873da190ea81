"""Another service, played by a test: it says what the test lets it say, through journal, chain, outbox and relay."""

from collections.abc import Awaitable, Callable

from opentelemetry.trace import INVALID_SPAN

from contracts.events.base import Event
from service_runtime.claims import Answer, CommandClaim
from service_runtime.clock import Clock, SystemClock
from service_runtime.database import Database
from service_runtime.observability.metrics import Metrics
from service_runtime.perform import Performer
from service_runtime.relay import Relay
from service_runtime.streams import Cause, stream_of
from service_runtime.testing.logbook import Logbook
from service_runtime.wakes import Wakes
from service_runtime.work import PostgresWork


class AnotherService:
    """Publishes for as long as its `relay` runs; the database needs the runtime's tables and is its own."""

    def __init__(self, name: str, database: Database, bootstrap: str, *, clock: Clock | None = None) -> None:
        self._name = name
        self._database = database
        self._bootstrap = bootstrap
        self._clock = clock or SystemClock()
        self._wakes = Wakes()
        self._performer = Performer(
            service=name, database=database, clock=self._clock, open_work=PostgresWork, wakes=self._wakes
        )

    async def says(self, *events: Event, council: str) -> None:
        """Publishes `events`, each in a unit of work of its own."""
        for event in events:
            claim = CommandClaim[None](
                on=stream_of(event),
                why=Cause("command:test", f"service:{self._name}", council),
                caller=council,
                idempotency_key=None,
                fingerprint="",
                answer=lambda _: Answer(204, b""),
            )
            await self._performer.perform(claim, _publishing(event), span=INVALID_SPAN)

    def relay(self) -> Relay:
        return Relay(
            service=self._name,
            database=self._database,
            bootstrap=self._bootstrap,
            clock=self._clock,
            wake=self._wakes.relay,
            log=Logbook(),
            metrics=Metrics().relay,
        )


def _publishing(event: Event) -> Callable[[PostgresWork], Awaitable[None]]:
    async def publish(work: PostgresWork) -> None:
        work.publish(event)

    return publish
