"""Views hold the newest of what other services said, and nobody who waits for a view is forgotten."""

import asyncio
import random
import secrets
from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES, encode
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.examples import an_envelope_of, an_example_of
from service_runtime.clock import SystemClock
from service_runtime.kafka.batch_consumer import Batch, BatchConsumer
from service_runtime.kafka.client import KafkaRecord
from service_runtime.outbox.relay import is_outbox_empty
from service_runtime.postgres.database import Database
from service_runtime.projections import consumer as view_feed
from service_runtime.projections import projections as views
from service_runtime.projections.consumer import build_projection_subscription
from service_runtime.projections.projections import PROJECTION_UPDATED, Projection, ProjectionRow, build_row
from service_runtime.subscriptions import on_timer
from service_runtime.timers.timers import DueTimer
from service_runtime.timers.worker import TimerWorker
from service_runtime.unit_of_work.wakeups import Wakeup
from testkit.databases import number, rows
from testkit.sample_service import Turnstile, TurnstileWork, running
from testkit.waiting import until

NOWHERE = "127.0.0.1:1"
RACES = 200

REQUESTS = Projection("requests", event_types=(WithdrawalRequested,), key=lambda event: str(event.package_id))
ENDINGS = Projection[WithdrawalRequested | PackageWithdrawn](
    "endings", event_types=(WithdrawalRequested, PackageWithdrawn), key=lambda event: f"all/{event.package_id}"
)


def said(package: UUID, *, sequence: int, traceparent: str = "") -> ProjectionRow:
    event = an_example_of(WithdrawalRequested, package_id=package)
    return build_row(REQUESTS, event, sequence=sequence, traceparent=traceparent)


async def hear(database: Database, *heard: ProjectionRow) -> bool:
    async with database.begin_transaction() as connection:
        return await views.upsert_rows(connection, heard, now=SystemClock().now())


async def sequence_of(database: Database, package: UUID) -> int:
    return await number(database, "SELECT sequence FROM projections WHERE key = :key", key=str(package))


@pytest.fixture
def gate(database: Database) -> Turnstile:
    return Turnstile("turnstile", database, NOWHERE)


async def test_only_a_higher_sequence_replaces_what_a_view_holds(database: Database) -> None:
    package = uuid4()
    await hear(database, said(package, sequence=3))
    await hear(database, said(package, sequence=2))
    assert await sequence_of(database, package) == 3
    await hear(database, said(package, sequence=5), said(package, sequence=4))
    assert await sequence_of(database, package) == 5


async def test_a_view_over_several_kinds_holds_whichever_came_last(database: Database, gate: Turnstile) -> None:
    package = uuid4()
    requested, withdrawn = (an_example_of(each, package_id=package) for each in (WithdrawalRequested, PackageWithdrawn))
    await hear(database, build_row(ENDINGS, requested, sequence=1), build_row(ENDINGS, withdrawn, sequence=2))

    async def look(work: TurnstileWork) -> None:
        found = await work.projections.get_by_prefix(ENDINGS, "all/")
        assert [(one.sequence, one.event) for one in found] == [(2, withdrawn)]
        assert await work.projections.get(ENDINGS, "all/nobody") is None

    await gate.do(package, look)


async def test_whoever_holds_is_woken_when_the_view_moves(gate: Turnstile, database: Database) -> None:
    package, missing = uuid4(), uuid4()

    async def hold(work: TurnstileWork) -> None:
        assert await work.projections.get(REQUESTS, str(missing)) is None
        assert await work.hold([(REQUESTS.name, str(missing))])

    await gate.do(package, hold)
    assert not await hear(database, said(uuid4(), sequence=1))
    assert await hear(database, said(missing, sequence=1))
    woken = await rows(database, "SELECT key, kind FROM timers")
    assert [(row.key, row.kind) for row in woken] == [(str(package), PROJECTION_UPDATED)]
    assert await number(database, "SELECT count(*) FROM holds") == 0


async def test_holding_for_what_has_been_heard_meanwhile_says_look_again(gate: Turnstile, database: Database) -> None:
    missing = uuid4()

    async def hold(work: TurnstileWork) -> None:
        assert await work.projections.get(REQUESTS, str(missing)) is None
        await hear(database, said(missing, sequence=1))
        assert not await work.hold([(REQUESTS.name, str(missing))])

    await gate.do(uuid4(), hold)
    assert await number(database, "SELECT count(*) FROM holds") == 0


async def test_one_stream_that_held_for_several_things_is_woken_once_for_those_that_come_together(
    gate: Turnstile, database: Database
) -> None:
    first, second = uuid4(), uuid4()

    async def hold(work: TurnstileWork) -> None:
        assert await work.hold([(REQUESTS.name, str(first)), (REQUESTS.name, str(second))])

    await gate.do(uuid4(), hold)
    assert await hear(database, said(first, sequence=1), said(second, sequence=1))
    assert await number(database, "SELECT count(*) FROM timers") == 1


@pytest.mark.parametrize("turn", [1, -1])
async def test_who_held_for_several_things_is_woken_by_what_was_said_last(
    gate: Turnstile, database: Database, turn: int
) -> None:
    first, last = missing = sorted((uuid4(), uuid4()))[::turn]
    await hold_for(gate, *missing)
    news = [said(each, sequence=1, traceparent=f"of {each}") for each in (first, last, uuid4())]
    assert await hear(database, *news)
    assert await wakers(database) == [f"of {last}"]


@pytest.mark.parametrize("turn", [1, -1])
async def test_what_was_said_last_in_a_batch_is_so_whatever_its_partition(
    gate: Turnstile, database: Database, turn: int
) -> None:
    first, last = missing = (uuid4(), uuid4())
    await hold_for(gate, *missing)
    records = [a_record(first, at=1), a_record(last, at=2)][::turn]
    async with database.begin_transaction() as connection:
        await build_projection_subscription((REQUESTS,), timer_wakeup=Wakeup(), log=gate.log).handle(
            connection, Batch(records, gate.clock.now())
        )
    assert await wakers(database) == [f"of {last}"]


async def hold_for(gate: Turnstile, *missing: UUID) -> None:
    async def wait(work: TurnstileWork) -> None:
        assert await work.hold([(REQUESTS.name, str(each)) for each in missing])

    await gate.do(uuid4(), wait)


async def wakers(database: Database) -> list[str]:
    """The traces that the timers follow from."""
    return [row.traceparent for row in await rows(database, "SELECT traceparent FROM timers")]


def a_record(package: UUID, *, at: int) -> KafkaRecord:
    """A request as a consumer gets it, appended `at` so many milliseconds."""
    event = an_example_of(WithdrawalRequested, package_id=package)
    envelope = an_envelope_of(event).model_copy(update={"traceparent": f"of {package}"})
    return KafkaRecord(
        topic=PACKAGES,
        partition=0,
        offset=0,
        timestamp=at,
        timestamp_type=0,
        key=event.key.encode(),
        value=encode(event),
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=envelope.to_headers(),
    )


async def test_no_wake_up_is_lost_between_the_look_and_the_hold(gate: Turnstile, database: Database) -> None:
    """Without the advisory lock, the writer can find no holder while the holder still finds no row."""

    class LooksAgain(TurnstileWork):
        async def hold_for(self, missing: str) -> None:
            if await self.projections.get(REQUESTS, missing) is not None:
                return
            if not await self.hold([(REQUESTS.name, missing)]):
                assert await self.projections.get(REQUESTS, missing) is not None
                return
            held.add(missing)
            await asyncio.sleep(random.uniform(0, 0.004))  # the commit takes its time

    held: set[str] = set()
    looking = Turnstile("turnstile", database, NOWHERE, work=LooksAgain)

    async def race(missing: UUID) -> None:
        async def hold(work: TurnstileWork) -> None:
            assert isinstance(work, LooksAgain)
            await work.hold_for(str(missing))

        async def write() -> None:
            await asyncio.sleep(random.uniform(0, 0.008))
            await hear(database, said(missing, sequence=1))

        await asyncio.gather(looking.do(missing, hold), write())

    for _ in range(RACES // 4):
        await asyncio.gather(*(race(uuid4()) for _ in range(4)))
    woken = {row.key for row in await rows(database, "SELECT key FROM timers")}
    assert held, "some of them held"
    assert woken == held
    assert await number(database, "SELECT count(*) FROM holds") == 0


async def test_a_woken_stream_is_performed_by_the_sleeper(gate: Turnstile, database: Database) -> None:
    missing, package, woken = uuid4(), uuid4(), asyncio.Event()

    async def look_again(timer: DueTimer, _: TurnstileWork) -> None:
        assert timer.stream.key == str(package)
        woken.set()

    async def hold(work: TurnstileWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing))])

    await gate.do(package, hold)
    sleeper = TimerWorker(
        gate.performer,
        [on_timer(PROJECTION_UPDATED, look_again)],
        wakeup=gate.wakes.timers,
        log=gate.log,
        metrics=gate.metrics.timers,
    )
    async with running(sleeper.run()):
        await hear(database, said(missing, sequence=1))
        gate.wakes.timers.notify()
        async with asyncio.timeout(5):
            await woken.wait()


def a_feed(name: str, database: Database, bootstrap: str, gate: Turnstile) -> BatchConsumer:
    feed = build_projection_subscription((REQUESTS, ENDINGS), timer_wakeup=Wakeup(), log=gate.log)
    return BatchConsumer(feed, service=name, database=database, bootstrap=bootstrap, clock=SystemClock(), log=gate.log)


async def test_a_feed_reads_from_the_beginning_and_can_be_rebuilt(
    database: Database, bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"views-{secrets.token_hex(4)}"
    gate = Turnstile(name, database, bootstrap)
    packages = [uuid4() for _ in range(10)]
    for package in packages:
        await gate.ask(package, times=3)
    async with running(gate.relay().run()):
        await until(lambda: is_outbox_empty(database))
    feed = a_feed(name, database, bootstrap, gate)
    async with running(feed.run()), asyncio.timeout(20):
        await feed.wait_until_caught_up()
    assert [await sequence_of(database, package) for package in packages] == [3] * 10

    await rows(database, "DELETE FROM projections")
    monkeypatch.setattr(view_feed, "GENERATION", 2)
    rebuilt = a_feed(name, database, bootstrap, gate)
    async with running(rebuilt.run()), asyncio.timeout(20):
        await rebuilt.wait_until_caught_up()
    assert [await sequence_of(database, package) for package in packages] == [3] * 10


async def test_a_feed_that_runs_wakes_the_sleeper_when_somebody_held(database: Database, bootstrap: str) -> None:
    name, missing = f"views-{secrets.token_hex(4)}", uuid4()
    gate = Turnstile(name, database, bootstrap)

    async def hold(work: TurnstileWork) -> None:
        assert await work.hold([(REQUESTS.name, str(missing))])

    await gate.do(uuid4(), hold)
    feed = a_feed(name, database, bootstrap, gate)
    async with running(feed.run(), gate.relay().run()), asyncio.timeout(20):
        await gate.ask(missing)
        await until(lambda: number(database, "SELECT count(*) FROM timers"), within=15)
