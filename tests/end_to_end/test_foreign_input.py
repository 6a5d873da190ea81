"""The whole stack meets foreign records, compressed topics and a read-only database while referrals are posted.

Another tool writes records of its own, the topic's compression changes, and PostgreSQL fails over. Every referral that
was posted is sourced nevertheless, no key is parked, and an operator finds each foreign record.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import pytest
import pytest_asyncio
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from contracts.catalogue import TOPICS
from contracts.envelope import Envelope
from contracts.events.offers import OfferMade
from devstack.embedded.postgres import SUPERUSER
from devstack.home import SUPERUSER_PASSWORD, Home
from devstack.names import AUDIT, PRICING, REFERRAL, REGISTRY, SOURCING
from devstack.record import StackRecord
from judge import PACKAGES, find_faults
from judge.events import group_by_key, select_kinds
from service_runtime.kafka.client import Partition
from testkit.foreign_records import PLACEHOLDER, ForeignRecord, send_foreign_records
from testkit.foreign_topics import set_topic_setting
from testkit.stack_process import Json, StackProcess, connect_client, copy_home, run_command, start_stack
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

REFERRALS: Final = 24
CODECS: Final = ("lz4", "zstd", "snappy", "gzip", "producer")
SERVICES: Final = (REFERRAL, SOURCING, REGISTRY, PRICING, AUDIT)
WORK_TIMEOUT: Final = 300
"""Seconds for conditions that take a few seconds on a machine at rest."""


def build_foreign_records(own: TopicRecord) -> Sequence[ForeignRecord]:
    """Returns records that other tools write; the last ones have the key of a package of ours."""
    key, headers = own.key.encode(), list[tuple[str, bytes | None]](own.headers)
    nameless = [(name, None if name == "ce_type" else value) for name, value in headers]
    numbered = [(name, b"9" * 20 if name == "ce_sequence" else value) for name, value in headers]
    return [
        ForeignRecord(b"foreign", b"{}", []),
        ForeignRecord(b"foreign", b"plain text", [("content-type", b"text/plain"), (PLACEHOLDER, b"x")]),
        ForeignRecord(None, b"{}", headers),
        ForeignRecord(b"\xff\xfe", b"{}", headers),
        ForeignRecord(b"nul\x00key", own.value, headers),
        ForeignRecord(key, own.value, nameless),
        ForeignRecord(key, own.value, numbered),
        ForeignRecord(key, b"no json", headers),
        ForeignRecord(key, b'{"of": "another shape"}', headers),
        ForeignRecord(key, None, headers),
    ]


@dataclass(frozen=True)
class ForeignRun:
    """What the stack shows after it met foreign records, codecs and a read-only database."""

    foreign: Sequence[tuple[int, int]]
    """Partition and offset of each foreign record."""
    records: Sequence[TopicRecord]
    """The records of all topics without the foreign ones."""
    violations: Sequence[str]
    unready: str
    """The reason that `/readyz` of sourcing gave while PostgreSQL was read-only."""
    parked: Sequence[Json]
    unreadable: Sequence[Json]
    """The unreadable records that all services list at the end."""
    summary: Json


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def foreign_run(tmp_path_factory: pytest.TempPathFactory, registered_home: Home) -> ForeignRun:
    home = Home(tmp_path_factory.mktemp("foreign-run") / "home")
    await copy_home(registered_home, home)
    async with start_stack(home, "--referrals", str(REFERRALS), "--rate", "2") as stack:
        running = StackRecord.load(home)
        own = await wait_until(lambda: find_own_record(running), within=WORK_TIMEOUT)
        foreign = await send_records(running, own)
        await change_compression(home, running)
        unready = await make_read_only(home, running)
        await wait_until(lambda: has_sourced_all(running), within=WORK_TIMEOUT)
        for url in running.urls.values():
            await wait_until(lambda url=url: is_ready(url), within=WORK_TIMEOUT)
        unreadable = await wait_until(lambda: list_unreadable(stack, len(foreign)), within=WORK_TIMEOUT)
        parked = [key for service in SERVICES for key in await list_parked(stack, service)]
        violations = await find_lasting_violations(home, running)
        records = await read_own_records(running)
        summary = await stack.interrupt()
    return ForeignRun(foreign, records, violations, unready, parked, unreadable, summary)


async def read_own_records(running: StackRecord) -> list[TopicRecord]:
    """Reads all topics without the foreign records, whose position `test_every_foreign_record…` compares."""
    records = [record for topic in TOPICS for record in await read_topic(running.kafka, topic)]
    return [record for record in records if is_own(record)]


def is_own(record: TopicRecord) -> bool:
    """Returns True if the record's hash matches: the chain of hashes proves who wrote it."""
    try:
        envelope = Envelope.from_headers(record.headers)
    except ValueError:
        return False
    return record.key == envelope.subject and envelope.compute_hash(record.value) == envelope.hash


async def find_own_record(running: StackRecord) -> TopicRecord | None:
    records = await read_topic(running.kafka, PACKAGES)
    return next((record for record in records if record.get_header("ce_type") == OfferMade.get_type_name()), None)


async def send_records(running: StackRecord, own: TopicRecord) -> list[tuple[int, int]]:
    """Sends foreign records to the partition of a record of ours; returns partition and offset of each."""
    records = build_foreign_records(own)
    first = await send_foreign_records(running.kafka, Partition(PACKAGES, own.partition), records)
    return [(own.partition, first + number) for number in range(len(records))]


async def change_compression(home: Home, running: StackRecord) -> None:
    """Sets each codec on the packages' topic in turn, and posts a referral that is published under it."""
    for codec in CODECS:
        await set_topic_setting(running.kafka, PACKAGES, "compression.type", codec)
        posted = json.loads(await run_command(home, "referral", "post", "--urgent", "--json"))
        await wait_until(lambda key=posted["package_id"]: has_record(running, key), within=WORK_TIMEOUT)


async def has_record(running: StackRecord, package_id: str) -> bool:
    return await read_topic(running.kafka, PACKAGES, keys={package_id}) != []


async def make_read_only(home: Home, running: StackRecord) -> str:
    """Makes PostgreSQL read-only, as a standby is during a fail-over; returns why sourcing was not ready."""
    password = (home.postgres / SUPERUSER_PASSWORD).read_text()
    url = URL.create("postgresql+asyncpg", SUPERUSER, password, "127.0.0.1", running.postgres_port, "postgres")
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("ALTER SYSTEM SET default_transaction_read_only = on"))
            await connection.execute(text("SELECT pg_reload_conf()"))
        try:
            return await wait_until(lambda: explain_not_ready(running.urls[SOURCING]), within=WORK_TIMEOUT)
        finally:
            async with engine.connect() as connection:
                await connection.execute(text("SET default_transaction_read_only = off"))
                await connection.execute(text("ALTER SYSTEM RESET default_transaction_read_only"))
                await connection.execute(text("SELECT pg_reload_conf()"))
    finally:
        await engine.dispose()


async def explain_not_ready(url: str) -> str | None:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/readyz") as response:
        return None if response.status == 200 else str((await response.json())["detail"])


async def is_ready(url: str) -> bool:
    return await explain_not_ready(url) is None


async def has_sourced_all(running: StackRecord) -> bool:
    """Returns True if every referral has been posted, and every package has a search."""
    packages = group_by_key(await read_own_records(running), PACKAGES)
    searched = [story for story in packages.values() if select_kinds(story, "SourcingStarted")]
    return len(packages) >= REFERRALS + len(CODECS) and len(searched) == len(packages)


async def list_parked(stack: StackProcess, service: str) -> list[Json]:
    async with connect_client(stack, "operator", service) as operator:
        return (await operator.get("/v1/parked"))["items"]


async def list_unreadable(stack: StackProcess, count: int) -> list[Json] | None:
    """Returns the unreadable records that the services list, once at least `count` positions are among them.

    A service passes a record whose type it does not handle, without reading the rest of it.
    """
    items: list[Json] = []
    for service in SERVICES:
        async with connect_client(stack, "operator", service) as operator:
            items += (await operator.get("/v1/unreadable", limit="200"))["items"]
    return items if len({(item["partition"], item["offset"]) for item in items}) >= count else None


async def find_lasting_violations(home: Home, running: StackRecord) -> list[str]:
    """Looks again while there are violations: an observation can fall between two events; a real fault stays."""
    deadline = time.monotonic() + 60
    while (found := find_faults(await read_own_records(running), read_lines(home.webhook_log))) != []:
        if time.monotonic() > deadline:
            break
    return found


def read_lines(log: Path) -> list[Json]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


def test_every_referral_is_accepted_and_sourced(foreign_run: ForeignRun) -> None:
    assert (foreign_run.summary["posted"], foreign_run.summary["refused"]) == (REFERRALS, 0)
    packages = group_by_key(foreign_run.records, PACKAGES)
    assert [key for key, story in packages.items() if not select_kinds(story, "SourcingStarted", "SourcingHeld")] == []


def test_no_key_is_parked(foreign_run: ForeignRun) -> None:
    assert foreign_run.parked == []


def test_the_record_of_our_own_events_has_no_fault(foreign_run: ForeignRun) -> None:
    assert foreign_run.violations == []


def test_an_operator_finds_every_foreign_record(foreign_run: ForeignRun) -> None:
    assert {(item["partition"], item["offset"]) for item in foreign_run.unreadable} == set(foreign_run.foreign)


def test_a_read_only_database_makes_a_service_unready(foreign_run: ForeignRun) -> None:
    assert "read-only" in foreign_run.unready
