"""A stack is copied by address while referrals arrive, and restored by address into other servers."""

import asyncio
import json
import shutil
import stat
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.config import ROLES, SERVICES
from devstack.databases import create_databases
from devstack.embedded import EmbeddedKafka, EmbeddedPostgres, start_servers
from devstack.home import KAFKA_JARS, Home, write_private
from devstack.json_lines import JsonLinesReader
from devstack.keys import StackKeys
from devstack.names import REFERRAL
from devstack.record import StackRecord
from simulator.council import PostedReferral
from simulator.districts import ESSEX_DISTRICTS
from testkit.stack_process import (
    Json,
    StackClient,
    connect_client,
    copy_home,
    link_postcodes,
    read_json,
    start_command,
    start_stack,
)
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

RATE = "8"
"""Referrals a second."""
BEFORE_BACKUP = 60
ESSEX_AREAS = {each.code for each in ESSEX_DISTRICTS}
AFTER_RESTORE = 5
"""Not every provider answers; of this number of referrals at least one is placed soon."""


@dataclass(frozen=True)
class Restoration:
    """A stack that was copied under load, and restored by address into other servers."""

    acknowledged: Sequence[PostedReferral]
    """Referrals that were accepted before the copy began."""
    posted_meanwhile: int
    """Referrals that were accepted while it was made."""
    summary: Json
    repeated: str
    """What the same restore says about the servers that it has just filled."""
    topics_again: Json
    """The topics made anew from the databases as they are."""
    found: Sequence[str]
    """Statuses of the acknowledged referrals after the restore."""
    verification: Json
    verification_at_end: Json
    parked_keys: Json


def write_addresses(home: Home, port: int) -> str:
    """The file of the databases' addresses, for the roles that own the tables."""
    passwords = StackKeys.load(home).databases
    addresses = {
        each.name: f"postgresql://{each.owner}:{passwords[each.owner]}@127.0.0.1:{port}/{each.package}"
        for each in SERVICES
    }
    file = home.folder / "databases.json"
    write_private(file, json.dumps(addresses))
    return str(file)


def read_posted(home: Home) -> list[PostedReferral]:
    return list(JsonLinesReader(home.council_log, PostedReferral).read_new())


def list_modes(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


async def copy_under_load(home: Home, folder: Path) -> tuple[list[PostedReferral], int]:
    """The referrals that were accepted before the copy began, and the number of those accepted meanwhile."""
    databases = write_addresses(home, StackRecord.load(home).postgres_port)
    await wait_until(lambda: len(read_posted(home)) >= BEFORE_BACKUP, within=400)
    acknowledged = read_posted(home)
    copied = await read_json(home, "backup", str(folder), "--databases", databases)
    assert copied["bytes"] > 0
    assert list_modes(folder) == {0o600}
    return acknowledged, len(read_posted(home)) - len(acknowledged)


def copy_keys(home: Home, target: Home) -> None:
    """What an installation keeps where its secrets are, and the simulated participants' own files."""
    for file in (home.secrets_file, home.endpoint_secrets, home.person_counter):
        shutil.copy2(file, target.folder)


@asynccontextmanager
async def run_empty_servers(home: Home) -> AsyncGenerator[tuple[str, str]]:
    """PostgreSQL with empty databases, and an empty Kafka: the file of the addresses, and Kafka's address."""
    postgres, kafka = EmbeddedPostgres(home.postgres), EmbeddedKafka(home.kafka, KAFKA_JARS)
    await asyncio.to_thread(start_servers, postgres, kafka)
    try:
        await create_databases(postgres, SERVICES, StackKeys.load(home, roles=ROLES).databases)
        yield write_addresses(home, postgres.port), kafka.bootstrap
    finally:
        for server in (kafka, postgres):
            await asyncio.to_thread(server.stop)


async def read_refusal(home: Home, *arguments: str) -> str:
    process = await start_command(home, *arguments, errors=PIPE)
    _, errors = await process.communicate()
    assert process.returncode == 1
    return errors.decode()


async def show_status(essex: StackClient, oxfordshire: StackClient, referral: PostedReferral) -> str:
    council = essex if referral.area in ESSEX_AREAS else oxfordshire
    return (await council.get(f"/v1/referrals/{referral.referral_id}"))["status"]


async def place_referral(home: Home, council: StackClient) -> None:
    posted = [(await read_json(home, "referral", "post", "--urgent"))["referral_id"] for _ in range(AFTER_RESTORE)]

    async def is_placed() -> bool:
        return any([(await council.get(f"/v1/referrals/{each}"))["status"] == "placed" for each in posted])

    await wait_until(is_placed, within=400)


@pytest.fixture(scope="module")
async def restoration(tmp_path_factory: pytest.TempPathFactory, registered_home: Home) -> Restoration:
    folder = tmp_path_factory.mktemp("by-address")
    source, target, copy = Home(folder / "source"), Home(folder / "target"), str(folder / "copy")
    await copy_home(registered_home, source)
    link_postcodes(target)
    async with start_stack(source, "--referrals", "2000", "--rate", RATE):
        acknowledged, posted_meanwhile = await copy_under_load(source, Path(copy))
    copy_keys(source, target)
    async with run_empty_servers(target) as (databases, kafka):
        options = ("--databases", databases, "--kafka", kafka)
        summary = await read_json(target, "restore", copy, *options)
        repeated = await read_refusal(target, "restore", copy, *options)
        topics_again = await read_json(target, "restore", "--only-topics", "--fresh", *options)
    async with (
        start_stack(target, "--referrals", "0") as stack,
        connect_client(stack, "council", REFERRAL) as council,
        connect_client(stack, "oxfordshire/council", REFERRAL) as oxfordshire,
    ):
        verification = await read_json(target, "verify")
        found = [await show_status(council, oxfordshire, each) for each in acknowledged]
        await place_referral(target, council)
        return Restoration(
            acknowledged=acknowledged,
            posted_meanwhile=posted_meanwhile,
            summary=summary,
            repeated=repeated,
            topics_again=topics_again,
            found=found,
            verification=verification,
            verification_at_end=await read_json(target, "verify"),
            parked_keys=await read_json(target, "parked", "list"),
        )


def test_a_copy_that_was_made_under_load_verifies_after_its_restore(restoration: Restoration) -> None:
    assert restoration.posted_meanwhile > 0
    assert restoration.summary["records"] > 0
    assert restoration.verification["verified"], restoration.verification


def test_no_referral_that_was_accepted_before_the_copy_is_lost(restoration: Restoration) -> None:
    assert len(restoration.found) == len(restoration.acknowledged) >= BEFORE_BACKUP


def test_the_restored_installation_continues(restoration: Restoration) -> None:
    assert restoration.verification_at_end["verified"], restoration.verification_at_end
    assert restoration.verification_at_end["records"] > restoration.verification["records"]
    assert not any(restoration.parked_keys.values())


def test_a_second_restore_is_refused(restoration: Restoration) -> None:
    assert "holds tables; --fresh deletes them" in restoration.repeated


def test_topics_are_made_anew_from_databases_as_they_are(restoration: Restoration) -> None:
    assert restoration.topics_again == restoration.summary
