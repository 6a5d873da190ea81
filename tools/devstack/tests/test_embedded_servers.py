"""The embedded servers start, store data durably, survive kill -9, and leave no process running."""

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from devstack.embedded import EmbeddedPostgres, Process, ServerDidNotStart
from testkit.foreign_topics import make_topic
from testkit.servers import TestKafka, TestPostgres

pytestmark = pytest.mark.servers


async def ask(url: str, *statements: str) -> object:
    """Return the single value of the last statement."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            return await connection.scalar(text(statements[-1]))
    finally:
        await engine.dispose()


def wait_until(condition: Callable[[], bool], within: float = 15) -> None:
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, "it did not happen in time"
        time.sleep(0.02)


def owned_postgres(own_postgres: TestPostgres) -> EmbeddedPostgres:
    assert own_postgres.server is not None
    return own_postgres.server


async def test_postgres_keeps_its_rows_through_kill_9_and_restart(own_postgres: TestPostgres) -> None:
    server = owned_postgres(own_postgres)
    url = await own_postgres.create_database("rows")
    await ask(url, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (17) RETURNING n")

    server.kill()
    server.start()
    after_kill = await ask(url, "SELECT n FROM kept")
    server.restart()

    assert after_kill == 17
    assert await ask(url, "SELECT n FROM kept") == 17


async def test_postgres_does_not_log_what_a_row_holds(own_postgres: TestPostgres) -> None:
    url = await own_postgres.create_database("quiet")
    await ask(
        url, "CREATE TABLE quiet (reference text PRIMARY KEY)", "INSERT INTO quiet VALUES ('planted') RETURNING 1"
    )

    with pytest.raises(Exception, match="unique"):
        await ask(url, "INSERT INTO quiet VALUES ('planted') RETURNING 1")

    assert "planted" not in owned_postgres(own_postgres).log.read_text()


async def test_postgres_waits_for_the_disk_at_commit(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "durable") as server:
        assert await ask(server.get_url(), "SHOW fsync") == "on"
        assert await ask(server.get_url(), "SHOW synchronous_commit") == "on"


def test_the_superusers_password_is_for_its_owner_only(own_postgres: TestPostgres) -> None:
    password = owned_postgres(own_postgres).directory / "superuser-password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600


async def test_a_database_can_be_copied_from_a_template(postgres: TestPostgres) -> None:
    template = await postgres.create_database("template")
    await ask(template, "CREATE TABLE copied (n int)", "INSERT INTO copied VALUES (3) RETURNING n")

    copy = await postgres.create_database("copy", template=template)

    assert await ask(copy, "SELECT n FROM copied") == 3


def test_the_error_of_a_server_that_cannot_start_contains_its_log(own_postgres: TestPostgres, tmp_path: Path) -> None:
    running = owned_postgres(own_postgres)
    second = EmbeddedPostgres(tmp_path / "second", running.port)
    second.start_retry_seconds = 0

    with pytest.raises(ServerDidNotStart, match="Address already in use"):
        second.start()


async def test_kafka_keeps_its_events_through_kill_9(own_kafka: TestKafka) -> None:
    assert own_kafka.server is not None
    await make_topic(own_kafka.connection, "kept", partitions=1)
    await send(own_kafka.bootstrap, "kept", b"before")

    own_kafka.server.kill()
    own_kafka.server.start()

    assert await fetch_first_value(own_kafka.bootstrap, "kept") == b"before"


def test_a_paused_kafka_answers_again_when_resumed(own_kafka: TestKafka) -> None:
    assert own_kafka.server is not None
    server = own_kafka.server
    server.pause()
    try:
        wait_until(lambda: not server.is_answering())  # the kernel stops its threads one by one
    finally:
        server.resume()
    wait_until(server.is_answering)


async def test_topics_are_not_created_automatically(kafka: TestKafka) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=500)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.partitions_for("never-made")
    finally:
        await producer.stop()


async def send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=value)
        await (await producer.send_batch(batch, topic, partition=0))
    finally:
        await producer.stop()


async def fetch_first_value(bootstrap: str, topic: str) -> bytes | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        found = await consumer.getmany(timeout_ms=10_000)
    finally:
        await consumer.stop()
    return found[partition][0].value


OWNER = """
import sys, time
from pathlib import Path
from devstack.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


def test_a_server_ends_when_its_owner_is_killed_and_starts_again_at_once(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, tmp_path / "pg"], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        server = psutil.Process(int(owner.stdout.readline()))
        family = [server, *server.children(recursive=True)]
        owner.kill()

    with EmbeddedPostgres(tmp_path / "pg", durable=False) as successor:
        assert successor.is_running
        wait_until(lambda: not any(member.is_running() for member in family))


def test_a_server_ends_when_its_guardian_is_killed(tmp_path: Path) -> None:
    process = Process.start(["sleep", "600"], log=tmp_path / "log")
    psutil.Process(process.pid).parent().kill()  # pyright: ignore[reportOptionalMemberAccess] - it has one
    process.wait()
    wait_until(lambda: not psutil.pid_exists(process.pid))


def test_a_program_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devstack.embedded.processes.STOP_TIMEOUT", 0.2)
    stubborn = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    log = tmp_path / "log"
    process = Process.start([sys.executable, "-c", stubborn], log=log)
    wait_until(lambda: log.read_text() == "deaf\n")

    assert process.stop() == 128 + signal.SIGKILL


def test_what_a_program_leaves_running_is_ended_with_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = Process.start(["sh", "-c", "sleep 600 & echo $!; wait"], log=log)
    wait_until(lambda: log.read_text().strip().isdigit())
    orphan = int(log.read_text())

    process.stop()

    wait_until(lambda: not psutil.pid_exists(orphan))


def test_a_missing_program_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ServerDidNotStart, match="no-such-program"):
        Process.start(["no-such-program"], log=tmp_path / "log")
