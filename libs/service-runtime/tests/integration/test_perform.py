"""Everything goes through `perform`: one at a time for each subject, in one transaction, once."""

import asyncio
import secrets
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import text

from contracts.catalogue import PACKAGES, PROVIDERS
from contracts.envelope import GENESIS
from contracts.errors import CallOffError
from contracts.events.packages import PackageWithdrawn, WithdrawalRequested
from contracts.events.providers import ProviderRegistered
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.idempotency import CommandClaim, IdempotencyKeyReused, ReplayedResponse, StoredResponse
from service_runtime.inbox import EventClaim
from service_runtime.kafka.records import Record
from service_runtime.outbox.journal import decode_headers
from service_runtime.postgres.database import Database, StatementRefused, is_lock_timeout
from service_runtime.unit_of_work.executor import MAX_ATTEMPTS, Executed, Skipped
from service_runtime.unit_of_work.streams import Cause
from testkit.chain_checker import faults_in
from testkit.clocks import FixedClock
from testkit.databases import number, rows
from testkit.sample_service import Turnstile, TurnstileWork, stream_of
from testkit.topics import Kept

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def gate(database: Database) -> Turnstile:
    """A turnstile without Kafka."""
    return Turnstile("turnstile", database, NOWHERE)


def requested(package: UUID) -> WithdrawalRequested:
    return an_example_of(WithdrawalRequested, package_id=package)


async def in_journal(database: Database) -> list[Kept]:
    """The journal's rows as Kafka would keep them."""
    found = await rows(database, "SELECT topic, key, version, headers, payload FROM journal ORDER BY position")
    return [Kept(row.topic, 0, row.version, row.key, decode_headers(row.headers), row.payload) for row in found]


def a_command(
    package: UUID,
    *,
    key: str | None = "key-1",
    body: str = "body",
    answer: Callable[[str], StoredResponse] = lambda said: StoredResponse(200, said.encode()),
) -> CommandClaim[str]:
    return CommandClaim[str](
        on=stream_of(package),
        why=Cause("command:test", "system:test", "essex"),
        caller="essex/system:test",
        idempotency_key=key,
        fingerprint=body,
        answer=answer,
    )


async def test_two_hundred_at_once_on_five_keys_leave_versions_without_gaps(gate: Turnstile) -> None:
    packages = [uuid4() for _ in range(5)]
    await asyncio.gather(*(gate.ask(packages[turn % 5]) for turn in range(200)))
    assert faults_in(await in_journal(gate.database)) == []
    for package in packages:
        found = await rows(
            gate.database, "SELECT version FROM journal WHERE key = :key ORDER BY position", key=str(package)
        )
        assert [row.version for row in found] == list(range(1, 41))


async def test_positions_follow_versions_on_every_key(gate: Turnstile) -> None:
    package = uuid4()
    await asyncio.gather(*(gate.ask(package, times=5) for _ in range(20)))
    found = await rows(gate.database, "SELECT version FROM journal ORDER BY position")
    assert [row.version for row in found] == list(range(1, 101))


async def test_what_is_done_to_one_subject_is_done_one_at_a_time(gate: Turnstile) -> None:
    """The key lock: two at once would both read the same count."""
    package = uuid4()

    async def count_on(work: TurnstileWork) -> None:
        before = (await work.connection.execute(text("SELECT count(*) FROM passages"))).scalar_one()
        await asyncio.sleep(0.005)
        await work.connection.execute(
            text("INSERT INTO passages (package_id, event_id) VALUES (:package, :before)"),
            {"package": package, "before": str(before)},
        )

    await asyncio.gather(*(gate.do(package, count_on) for _ in range(10)))
    noted = await rows(gate.database, "SELECT event_id FROM passages ORDER BY position")
    assert [row.event_id for row in noted] == [str(before) for before in range(10)]


async def test_the_first_event_of_a_stream_begins_the_chain(gate: Turnstile) -> None:
    await gate.ask(uuid4())
    (first,) = await in_journal(gate.database)
    assert first.header("ce_prevhash") == GENESIS
    assert first.header("ce_sequence") == "1"


async def test_what_a_handler_raises_rolls_everything_back(gate: Turnstile) -> None:
    package = uuid4()

    async def fail(work: TurnstileWork) -> None:
        await work.note_passage(PackageId(package))
        work.publish(requested(package))
        raise CallOffError("not today")

    with pytest.raises(CallOffError, match="not today"):
        await gate.do(package, fail)
    assert await number(gate.database, "SELECT (SELECT count(*) FROM journal) + (SELECT count(*) FROM passages)") == 0


async def test_a_returned_refusal_commits_what_it_put_on_record(gate: Turnstile) -> None:
    package = uuid4()

    async def too_late(work: TurnstileWork) -> str:
        work.publish(requested(package))
        return "too late"

    claim = a_command(package, answer=lambda said: StoredResponse(409, said.encode()))
    assert await gate.performer.execute(claim, too_late, span=INVALID_SPAN) == Executed("too late")
    assert await number(gate.database, "SELECT count(*) FROM journal") == 1
    with pytest.raises(ReplayedResponse) as replay:
        await gate.performer.execute(claim, too_late, span=INVALID_SPAN)
    assert replay.value.answer == StoredResponse(409, b"too late")


async def test_the_same_command_at_once_is_carried_out_once_and_answered_alike(gate: Turnstile) -> None:
    package = uuid4()

    async def carry_out(work: TurnstileWork) -> str:
        await work.note_passage(PackageId(package))
        return secrets.token_hex(8)

    async def once() -> bytes:
        try:
            done = await gate.performer.execute(a_command(package), carry_out, span=INVALID_SPAN)
        except ReplayedResponse as replay:
            return replay.answer.body
        assert isinstance(done, Executed)
        return done.result.encode()

    answers = await asyncio.gather(*(once() for _ in range(8)))
    assert len(set(answers)) == 1
    assert await number(gate.database, "SELECT count(*) FROM passages") == 1


async def test_the_same_key_on_another_subject_at_once_is_carried_out_once(gate: Turnstile) -> None:
    async def carry_out(_: TurnstileWork) -> str:
        await asyncio.sleep(0.02)
        return "done"

    async def once(package: UUID) -> str:
        try:
            await gate.performer.execute(a_command(package), carry_out, span=INVALID_SPAN)
        except ReplayedResponse:
            return "replayed"
        return "done"

    assert sorted(await asyncio.gather(once(uuid4()), once(uuid4()))) == ["done", "replayed"]


async def test_a_key_that_comes_with_another_request_is_refused(gate: Turnstile) -> None:
    package = uuid4()

    async def carry_out(_: TurnstileWork) -> str:
        return "done"

    await gate.performer.execute(a_command(package), carry_out, span=INVALID_SPAN)
    with pytest.raises(IdempotencyKeyReused):
        await gate.performer.execute(a_command(package, body="other"), carry_out, span=INVALID_SPAN)


async def test_without_a_key_a_command_counts_each_time(gate: Turnstile) -> None:
    package = uuid4()
    await gate.ask(package)
    await gate.ask(package)
    assert await number(gate.database, "SELECT count(*) FROM journal") == 2


async def test_a_command_waits_no_longer_than_two_seconds_for_its_twin(gate: Turnstile) -> None:
    package, begun, may_end = uuid4(), asyncio.Event(), asyncio.Event()

    async def take_long(_: TurnstileWork) -> str:
        begun.set()
        await may_end.wait()
        return "done"

    first = asyncio.create_task(gate.performer.execute(a_command(package), take_long, span=INVALID_SPAN))
    await begun.wait()
    with pytest.raises(StatementRefused) as refused:
        await gate.performer.execute(a_command(package), take_long, span=INVALID_SPAN)
    assert is_lock_timeout(refused.value)
    may_end.set()
    assert await first == Executed("done")


async def test_an_event_that_comes_again_counts_once(gate: Turnstile) -> None:
    """The inbox."""
    package = uuid4()
    await gate.ask(package)
    kept = await rows(gate.database, "SELECT headers, payload FROM journal")
    record = Record.from_stored(stream_of(package), kept[0].headers, kept[0].payload)

    async def note(work: TurnstileWork) -> None:
        await work.note_passage(PackageId(package))

    outcomes = await asyncio.gather(
        *(
            gate.performer.execute(EventClaim(record, "turnstile", gate.performer.clock), note, span=INVALID_SPAN)
            for _ in range(5)
        )
    )
    assert len([outcome for outcome in outcomes if isinstance(outcome, Skipped)]) == 4
    assert await number(gate.database, "SELECT count(*) FROM passages") == 1


async def test_a_second_stream_is_locked_versioned_and_chained_too(gate: Turnstile) -> None:
    package, provider = uuid4(), uuid4()

    async def tell_both(work: TurnstileWork) -> None:
        work.publish(
            an_example_of(ProviderRegistered, provider_id=provider),
            requested(package),
            an_example_of(PackageWithdrawn, package_id=package),
        )

    await asyncio.gather(*(gate.do(package, tell_both) for _ in range(10)))
    assert faults_in(await in_journal(gate.database)) == []
    versions = await rows(gate.database, "SELECT topic, version FROM streams ORDER BY topic")
    assert [(row.topic, row.version) for row in versions] == [(PACKAGES, 20), (PROVIDERS, 10)]


async def test_a_deadlock_reaches_no_caller(gate: Turnstile) -> None:
    """Two units of work that lock each other's streams: PostgreSQL ends one, and it runs again."""
    one, other = uuid4(), uuid4()

    def tell(package: UUID) -> Callable[[TurnstileWork], object]:
        async def publish(work: TurnstileWork) -> None:
            await asyncio.sleep(0.05)
            work.publish(requested(package))

        return publish

    await asyncio.gather(gate.do(one, tell(other)), gate.do(other, tell(one)))  # pyright: ignore[reportArgumentType]
    assert await number(gate.database, "SELECT count(*) FROM journal") == 2


async def test_a_serialization_failure_runs_again_with_nothing_left_of_the_first_run(gate: Turnstile) -> None:
    package, runs = uuid4(), 0

    async def lose_twice(work: TurnstileWork) -> None:
        nonlocal runs
        runs += 1
        work.publish(requested(package))
        if runs < 3:
            await work.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END $$"))

    await gate.do(package, lose_twice)
    assert runs == 3
    assert await number(gate.database, "SELECT count(*) FROM journal") == 1


async def test_whoever_loses_every_race_is_told_at_last(gate: Turnstile) -> None:
    runs = 0

    async def always_lose(work: TurnstileWork) -> None:
        nonlocal runs
        runs += 1
        await work.connection.execute(text("DO $$ BEGIN RAISE EXCEPTION 'lost' USING ERRCODE = '40P01'; END $$"))

    with pytest.raises(StatementRefused):
        await gate.do(uuid4(), always_lose)
    assert runs == MAX_ATTEMPTS


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET actor = 'x'", "DELETE FROM journal", "TRUNCATE journal CASCADE"]
)
async def test_the_journal_is_append_only(gate: Turnstile, statement: str) -> None:
    await gate.ask(uuid4())
    with pytest.raises(StatementRefused, match="append-only"):
        await rows(gate.database, statement)


async def test_the_clock_is_read_after_the_lock(gate: Turnstile) -> None:
    """Whoever waited for the lock must not decide with the time from before the wait."""
    package, began, looked = uuid4(), asyncio.Event(), 0

    class CountedClock(FixedClock):
        def now(self):  # type: ignore[no-untyped-def]
            nonlocal looked
            looked += 1
            return super().now()

    counted = Turnstile("turnstile", gate.database, NOWHERE, clock=CountedClock())
    free = asyncio.Event()

    async def hold(_: TurnstileWork) -> None:
        began.set()
        await free.wait()

    async def nothing(_: TurnstileWork) -> None: ...

    holding = asyncio.create_task(gate.do(package, hold))
    await began.wait()
    waiting = asyncio.create_task(counted.do(package, nothing))
    while not await number(gate.database, "SELECT count(*) FROM pg_locks WHERE NOT granted"):
        await asyncio.sleep(0.01)
    assert looked == 0
    free.set()
    await asyncio.gather(holding, waiting)
    assert looked == 1
