"""Faults of a connection: whatever phase they strike, the error is transient and the work counts once."""

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN
from sqlalchemy import make_url, text

from contracts.ids import PackageId
from service_runtime.idempotency import ReplayedResponse
from service_runtime.postgres.database import Connection, Database
from service_runtime.postgres.errors import ConnectionBroken, StatementRefused, is_transient
from testkit.databases import fetch_number
from testkit.lossy_proxy import LossyProxy
from testkit.sample_service import (
    RequestWithdrawal,
    SampleService,
    SampleUnitOfWork,
    build_command_claim,
    publish_requests,
    run_tasks,
)
from testkit.waiting import wait_until

SHOW_PID = "SELECT pg_backend_pid() AS pid"


async def terminate(database: Database, pid: int) -> None:
    """Ends a server process, and returns when it has ended."""
    await database.fetch("SELECT pg_terminate_backend($1, 10000)", pid)


async def fails_transiently(work: Coroutine[object, object, object]) -> bool:
    """Returns False if the work succeeds, and True if it fails with a transient error; raises any other error."""
    try:
        await work
    except Exception as error:
        if not is_transient(error):
            raise
        return True
    return False


@pytest.mark.parametrize("phase", ["a statement", "COMMIT", "after the error of the work"])
async def test_a_connection_that_the_server_ends_during_a_transaction_is_transient(
    database: Database, phase: str
) -> None:
    async def work() -> None:
        async with database.begin_transaction() as connection:
            await terminate(database, (await connection.fetch(SHOW_PID))[0].pid)
            if phase == "after the error of the work":
                raise StatementRefused("the work failed as the server went away", "57P01")
            if phase == "a statement":
                await connection.fetch("SELECT 1")

    assert await fails_transiently(work())
    assert await database.fetch("SELECT 1")


async def test_a_connection_that_was_ended_unnoticed_is_transient_or_replaced(database: Database) -> None:
    other = Database(database.url, pool_size=2)
    pid = (await other.fetch(SHOW_PID))[0].pid
    await terminate(database, pid)
    await fails_transiently(other.fetch("SELECT 1"))
    assert (await other.fetch(SHOW_PID))[0].pid != pid
    await other.close()


async def test_a_connection_that_ends_after_its_work_does_not_undo_the_answer(database: Database) -> None:
    async with database.open_read_connection() as connection:
        pid = (await connection.fetch(SHOW_PID))[0].pid
        await terminate(database, pid)
    assert await database.fetch("SELECT 1")


async def test_a_cancelled_statement_is_transient(database: Database) -> None:
    async def cancel(connection: Connection) -> None:
        await connection.fetch("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)")

    with pytest.raises(StatementRefused) as raised:
        async with database.begin_transaction() as connection:
            await cancel(connection)
    assert is_transient(raised.value)


async def test_a_connection_with_another_operation_in_progress_is_transient_and_replaced(database: Database) -> None:
    async def read_half() -> None:
        async with database.begin_transaction() as connection:
            pid = (await connection.fetch(SHOW_PID))[0].pid
            waiting = connection.fetch("SELECT pg_sleep(60)")
            async with run_tasks(_drop_result(waiting)):
                await wait_until(lambda: _is_sleeping(database, pid))
                await connection.fetch("SELECT 1")

    with pytest.raises(ConnectionBroken):
        await read_half()
    assert await database.fetch("SELECT 1")


async def _drop_result(waiting: Coroutine[object, object, object]) -> None:
    await waiting


async def _is_sleeping(database: Database, pid: int) -> bool:
    rows = await database.fetch("SELECT query FROM pg_stat_activity WHERE pid = $1 AND state = 'active'", pid)
    return any("pg_sleep" in row.query for row in rows)


async def test_a_table_that_a_migration_changed_makes_no_statement_fail_for_good(database: Database) -> None:
    await read_blocked(database)
    async with database.begin_transaction() as connection:
        await connection.run("ALTER TABLE blocked ADD COLUMN since timestamptz")
    await wait_until(lambda: succeeds(read_blocked(database)))


async def succeeds(work: Coroutine[object, object, object]) -> bool:
    return not await fails_transiently(work)


async def read_blocked(database: Database) -> None:
    async with database.begin_transaction() as connection:
        assert (await connection.execute(text("SELECT * FROM blocked"))).all() == []


async def test_an_address_of_several_servers_leads_to_the_one_that_takes_changes(database: Database) -> None:
    address = make_url(database.url)
    url = database.url.replace(f"@{address.host}:{address.port}/", f"@127.0.0.1:1,{address.host}:{address.port}/")
    several = Database(f"{url}?target_session_attrs=read-write", pool_size=2)
    async with several.begin_transaction() as connection:
        await connection.run("INSERT INTO blocked VALUES ('nobody')")
    async with several.open_migration_connection() as migrating:
        assert (await migrating.execute(text("SELECT count(*) FROM blocked"))).scalar_one() == 1
    await several.close()
    await database.fetch(f'ALTER DATABASE "{address.database}" SET default_transaction_read_only = on')
    assert await fails_transiently(several.fetch("SELECT 1")), "no server takes changes"
    await several.close()


@asynccontextmanager
async def losing_answers(sample: SampleService) -> AsyncGenerator[tuple[SampleService, LossyProxy]]:
    """The sample service, connected to its database through a proxy that can lose an answer."""
    address = make_url(sample.database.url)
    proxy = LossyProxy(address.host or "", address.port or 0)
    async with proxy.serve():
        url = address.set(host="127.0.0.1", port=proxy.port).render_as_string(hide_password=False)
        database = Database(url, name="behind-the-proxy")
        try:
            yield SampleService(sample.name, database, sample.kafka), proxy
        finally:
            await database.close()


async def test_a_command_whose_commit_was_not_acknowledged_counts_once_and_its_repeat_is_answered(
    sample: SampleService,
) -> None:
    package = uuid4()
    claim = replace(build_command_claim(package), idempotency_key="the-same", fingerprint="one")
    command = RequestWithdrawal(PackageId(package))
    async with losing_answers(sample) as (remote, proxy):

        async def handle(work: SampleUnitOfWork) -> None:
            await publish_requests(command, work)

        proxy.lose_answer_to(b"WithdrawalRequested")
        assert await fails_transiently(remote.executor.execute(claim, handle, span=INVALID_SPAN))
        with pytest.raises(ReplayedResponse):
            await remote.executor.execute(claim, handle, span=INVALID_SPAN)
        assert proxy.lost == 1
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 1


async def test_an_event_whose_commit_was_not_acknowledged_has_one_effect(sample: SampleService) -> None:
    await sample.request_withdrawal(uuid4())
    async with run_tasks(sample.build_relay().run()), losing_answers(sample) as (remote, proxy):
        proxy.lose_answer_to(b'"event_id"')
        async with run_tasks(remote.build_consumer().run()):
            await wait_until(lambda: proxy.lost == 1, within=60)
            await sample.request_withdrawal(uuid4())
            await wait_until(lambda: _count(sample, "handled_events", at_least=2), within=60)
        assert await _count(sample, "handled_events") == 2
        assert remote.logs.find_entries("key parked") == []


async def test_a_timer_whose_commit_was_not_acknowledged_has_one_effect(sample: SampleService) -> None:
    await sample.request_withdrawal(uuid4(), close_at=sample.clock.now())
    async with losing_answers(sample) as (remote, proxy):
        proxy.lose_answer_to(b'"about"')
        async with run_tasks(remote.build_timer_worker().run()):
            await wait_until(lambda: proxy.lost == 1, within=60)
            await sample.request_withdrawal(uuid4(), close_at=sample.clock.now())
            await wait_until(lambda: _count(sample, "fired_timers", at_least=2), within=60)
        assert await _count(sample, "fired_timers") == 2
        assert remote.logs.find_entries("key parked") == []


async def _count(sample: SampleService, table: str, *, at_least: int = 0) -> int:
    """Returns the number of rows, or 0 as long as there are fewer than `at_least`."""
    count = await fetch_number(sample.database, f"SELECT count(*) FROM {table}")
    return count if count >= at_least else 0
