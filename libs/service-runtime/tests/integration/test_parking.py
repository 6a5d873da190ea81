"""A poison event steps aside with its key, and everything else flows; so does a row that Kafka refuses."""

from collections.abc import Awaitable
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from contracts.catalogue import PACKAGES, PROVIDERS
from contracts.events.base import Event
from contracts.events.packages import WithdrawalRequested
from contracts.events.providers import EligibilityChanged, Membership, ProviderRegistered
from contracts.examples import an_example_of
from service_runtime.clock import SystemClock
from service_runtime.dead_letters.operations import Release
from service_runtime.dead_letters.parked_keys import ParkedKey
from service_runtime.idempotency import KeyParked
from service_runtime.outbox.journal import LARGEST_PAYLOAD, EventTooLarge
from service_runtime.outbox.relay import is_outbox_empty
from service_runtime.postgres.database import StatementRefused, is_transient
from service_runtime.timers.worker import MAX_ATTEMPTS
from service_runtime.unit_of_work.streams import StreamKey
from testkit.chain_checker import faults_in, first_occurrences
from testkit.databases import number, rows
from testkit.sample_service import Turnstile, TurnstileWork, running, stream_of
from testkit.topics import everything_in
from testkit.waiting import until

LARGEST_PROVIDER_RECORD = 20_000
"""Bytes; as in conftest.py, which makes the topic."""


async def block(gate: Turnstile, what: object) -> None:
    await rows(gate.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(what))


async def unblock(gate: Turnstile) -> None:
    await rows(gate.database, "DELETE FROM blocked")


async def passages(gate: Turnstile, package: UUID) -> int:
    return await number(gate.database, "SELECT count(*) FROM passages WHERE package_id = :package", package=package)


async def parked(gate: Turnstile, package: UUID, *, waiting: int) -> ParkedKey:
    """The key of `package`, once it is parked with so many events in its line."""

    async def found() -> ParkedKey | None:
        return next(
            (
                one
                for one in await gate.parking.list_keys()
                if one.stream == stream_of(package) and one.waiting == waiting
            ),
            None,
        )

    one = await until(found, within=20)
    assert one is not None
    return one


async def is_counted(gate: Turnstile, *, by: str) -> None:
    """Returns when operations can see that one key was parked, and by what kind."""
    count = "calloff_parked_events_total"
    value = gate.metrics.registry.get_sample_value
    await until(lambda: value(count, {"by": by}) == 1)
    kinds = {"event", "timer", "relay", "webhook"}
    assert {kind: value(count, {"by": kind}) for kind in kinds} == {kind: float(kind == by) for kind in kinds}


async def on_kafka(gate: Turnstile, *packages: UUID) -> list[str]:
    """The types of the packages' events on Kafka, after the checker has found nothing wrong with them."""
    await until(lambda: is_outbox_empty(gate.database))
    kept = await everything_in(gate.bootstrap, PACKAGES, keys={str(package) for package in packages})
    assert faults_in(kept) == []
    return [record.header("ce_type").split(".")[1] for record in first_occurrences(kept)]


async def test_a_poison_event_parks_its_key_and_everything_else_flows(gate: Turnstile) -> None:
    poisoned, healthy = uuid4(), uuid4()
    await block(gate, poisoned)
    async with running(gate.relay().run(), gate.consumer().run()):
        await gate.ask(poisoned, times=3)
        await gate.ask(healthy, times=3)
        key = await parked(gate, poisoned, waiting=3)
        await until(lambda: same(passages(gate, healthy), 3))
        await is_counted(gate, by="event")
    assert key.event_type == WithdrawalRequested.type_name()
    assert key.because == f"{WithdrawalRequested.type_name()} could not be handled: TurnstileBlocked"
    assert await passages(gate, poisoned) == 0
    with pytest.raises(KeyParked):
        await gate.ask(poisoned)


async def same(count: Awaitable[int], wanted: int) -> bool:
    return await count == wanted


async def test_releasing_a_key_handles_what_waited_in_its_order(gate: Turnstile) -> None:
    package = uuid4()
    await block(gate, package)
    async with running(gate.relay().run(), gate.consumer().run()):
        await gate.ask(package, times=3)
        await parked(gate, package, waiting=3)
        assert await gate.parking.release(stream_of(package)) == Release(handled=0, still_parked=True)
        await parked(gate, package, waiting=3)
        await unblock(gate)
        assert await gate.parking.release(stream_of(package)) == Release(handled=3, still_parked=False)
        assert await gate.parking.list_keys() == []
        await gate.ask(package)
        await until(lambda: same(passages(gate, package), 4))
        assert await on_kafka(gate, package) == [
            *["WithdrawalRequested"] * 3,
            *["PackageWithdrawn"] * 3,
            "WithdrawalRequested",
            "PackageWithdrawn",
        ]
    noted = await rows(gate.database, "SELECT event_id FROM passages ORDER BY position")
    asked = await rows(gate.database, "SELECT id::text FROM journal WHERE type LIKE '%Requested%' ORDER BY position")
    assert [row.event_id for row in noted] == [row.id for row in asked]


async def test_a_discarded_event_is_never_handled_and_what_waited_behind_it_is(gate: Turnstile) -> None:
    package = uuid4()
    await block(gate, package)
    async with running(gate.relay().run(), gate.consumer().run()):
        await gate.ask(package, times=3)
        key = await parked(gate, package, waiting=3)
        assert key.event_id is not None
        assert await gate.parking.discard(key.event_id, because="INC-1 (officer:o-1)")
        assert not await gate.parking.discard(key.event_id, because="twice")
        await unblock(gate)
        assert await gate.parking.release(stream_of(package)) == Release(handled=2, still_parked=False)
    assert await passages(gate, package) == 2
    kept = await rows(gate.database, "SELECT discarded_because FROM inbox WHERE event_id = :id", id=key.event_id)
    assert kept[0].discarded_because == "INC-1 (officer:o-1)"


async def test_only_a_failed_event_can_be_discarded(gate: Turnstile) -> None:
    package = uuid4()
    await block(gate, package)
    async with running(gate.relay().run(), gate.consumer().run()):
        await gate.ask(package, times=2)
        await parked(gate, package, waiting=2)
    waiting = await rows(gate.database, "SELECT event_id FROM dead_letters WHERE failure IS NULL")
    assert not await gate.parking.discard(waiting[0].event_id, because="not the one")


async def test_timers_rest_while_their_key_is_parked_and_fire_when_it_is_released(gate: Turnstile) -> None:
    package = uuid4()
    await block(gate, package)
    async with running(gate.relay().run(), gate.consumer().run(), gate.sleeper().run()):
        await gate.ask(package)
        await parked(gate, package, waiting=1)
        await rows(
            gate.database,
            """
            INSERT INTO timers (topic, key, kind, about, due_at, precedence, council, armed_by, traceparent)
            VALUES (:topic, :key, 'close', 'later', now(), 1, 'essex', 'test', '')
            """,
            topic=PACKAGES,
            key=str(package),
        )
        other = uuid4()
        await gate.ask(other, close_at=SystemClock().now())
        await until(lambda: number(gate.database, "SELECT count(*) FROM closings WHERE package_id = :it", it=other))
        assert await number(gate.database, "SELECT count(*) FROM closings WHERE about = 'later'") == 0
        await unblock(gate)
        await gate.parking.release(stream_of(package))
        await until(lambda: number(gate.database, "SELECT count(*) FROM closings WHERE about = 'later'"))
    assert await passages(gate, package) == 1


async def test_a_timer_that_fails_three_times_parks_its_key_and_is_tried_again_on_release(gate: Turnstile) -> None:
    package = uuid4()
    await block(gate, f"timer {package}")
    async with running(gate.sleeper().run()):
        await gate.ask(package, close_at=SystemClock().now())
        key = await parked(gate, package, waiting=0)
        assert key.because == "timer close could not be performed: TurnstileBlocked"
        assert key.event_id is None
        await is_counted(gate, by="timer")
        await unblock(gate)
        assert await gate.parking.release(stream_of(package)) == Release(handled=0, still_parked=False)
        await until(lambda: number(gate.database, "SELECT count(*) FROM closings"))
    assert MAX_ATTEMPTS == 3
    assert await number(gate.database, "SELECT count(*) FROM timers") == 0


async def test_a_value_that_the_driver_refuses_is_poison_and_no_outage(gate: Turnstile) -> None:
    """asyncpg refuses it before PostgreSQL sees it."""
    with pytest.raises(StatementRefused) as refused:
        await rows(gate.database, "SELECT CAST(:number AS bigint)", number=2**70)
    assert not is_transient(refused.value)


async def test_an_event_larger_than_kafka_takes_is_refused_where_it_is_published(gate: Turnstile) -> None:
    provider = uuid4()
    memberships = (an_example_of(Membership),) * (LARGEST_PAYLOAD // 100)

    async def publish(work: TurnstileWork) -> None:
        work.publish(an_example_of(EligibilityChanged, provider_id=provider, memberships=memberships))

    with pytest.raises(EventTooLarge, match="split the work"):
        await gate.do(provider, publish)
    assert await number(gate.database, "SELECT count(*) FROM journal") == 0


async def test_a_row_that_kafka_refuses_parks_its_key_and_the_rest_flows(gate: Turnstile) -> None:
    refused, others = uuid4(), [uuid4() for _ in range(30)]
    large = an_example_of(
        EligibilityChanged,
        provider_id=refused,
        memberships=(an_example_of(Membership),) * 200,  # some 30 kB: Kafka takes 20 of them in this topic
    )
    await say(gate, refused, an_example_of(ProviderRegistered, provider_id=refused))
    for number_of_it, other in enumerate(others):
        await say(gate, other, an_example_of(ProviderRegistered, provider_id=other))
        if number_of_it == 10:
            await say(gate, refused, large)
            await say(gate, refused, an_example_of(ProviderRegistered, provider_id=refused))
    async with running(gate.relay().run()):
        await until(lambda: is_outbox_empty(gate.database), within=30)
        kept = await everything_in(gate.bootstrap, PROVIDERS, keys={str(one) for one in [refused, *others]})
        assert faults_in(kept) == []
        assert len(first_occurrences(kept)) == 31, "what came before the refused event, and all that others said"
        key = (await gate.parking.list_keys())[0]
        assert key.stream == StreamKey(PROVIDERS, str(refused))
        assert "Kafka refused" in key.because
        refused_rows = "SELECT count(*) FROM outbox JOIN journal USING (position) WHERE topic = :topic"
        await until(lambda: same(number(gate.database, refused_rows, topic=PROVIDERS), 2))
        assert gate.log.said("key parked")
        await is_counted(gate, by="relay")

        await allow_records_of(gate.bootstrap, 100_000)
        assert await gate.parking.release(key.stream) == Release(handled=0, still_parked=False)
        await until(lambda: number(gate.database, "SELECT (count(*) = 0)::int FROM outbox"), within=30)
    kept = await everything_in(gate.bootstrap, PROVIDERS, keys={str(refused)})
    assert faults_in(kept) == []
    assert len(first_occurrences(kept)) == 3
    await allow_records_of(gate.bootstrap, LARGEST_PROVIDER_RECORD)


async def say(gate: Turnstile, provider: UUID, event: Event) -> None:
    async def publish(work: TurnstileWork) -> None:
        work.publish(event)

    await gate.do(provider, publish)


async def allow_records_of(bootstrap: str, size: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, PROVIDERS, {"max.message.bytes": str(size)})])
    await admin.close()
