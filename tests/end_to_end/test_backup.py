"""A backup of a running stack is restored into an empty home: the record verifies, and new referrals are placed."""

import os
import shutil
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from devstack.home import Home
from devstack.names import AUDIT, REFERRAL
from devstack.record import StackRecord
from testkit.stack_process import Json, StackProcess, connect_client, copy_home, read_json, start_stack
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600), pytest.mark.xdist_group("end-to-end")]

REFERRALS = 5
"""Not every provider answers; of this number of referrals at least one is placed soon."""


async def post_referral(home: Home) -> str:
    """Posts a new referral and returns its id."""
    return (await read_json(home, "referral", "post", "--urgent"))["referral_id"]


async def show_referral(home: Home, referral_id: str) -> Json:
    return await read_json(home, "referral", "show", referral_id)


async def place_referral(stack: StackProcess) -> Json:
    """Posts referrals, and returns one of them as soon as it is placed."""
    posted = [await post_referral(stack.home) for _ in range(REFERRALS)]
    async with connect_client(stack, "council", REFERRAL) as council:

        async def find_placed() -> Json | None:
            referrals = [await council.get(f"/v1/referrals/{referral_id}") for referral_id in posted]
            return next((referral for referral in referrals if referral["status"] == "placed"), None)

        return await wait_until(find_placed, within=400)


@contextmanager
def pause_audit(home: Home) -> Generator[None]:
    """Stops the audit process, so that new events are in the journals only."""
    pid = StackRecord.load(home).pids[AUDIT]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True)
class Restoration:
    """A stack that was backed up, destroyed, restored and started again."""

    restore_summary: Json
    verification_after_restore: Json
    referral_before_backup: Json
    same_referral_after_restore: Json
    referral_unknown_to_audit: Json
    referral_after_backup: Json
    referral_after_restore: Json
    verification_at_end: Json
    parked_keys: Json


@pytest.fixture(scope="module")
async def restoration(tmp_path_factory: pytest.TempPathFactory, registered_home: Home) -> Restoration:
    home = Home(tmp_path_factory.mktemp("restoration") / "a home")
    await copy_home(registered_home, home)
    backup = home.folder.with_name("a copy")
    async with start_stack(home, "--referrals", "0") as stack:
        before_backup = await place_referral(stack)
        with pause_audit(home):
            unknown_to_audit = await post_referral(home)
            await read_json(home, "backup", str(backup))
        after_backup = await post_referral(home)
    destroy_home(home)
    restore_summary = await read_json(home, "restore", "--fresh", str(backup))
    async with start_stack(home, "--referrals", "0") as stack:
        return Restoration(
            restore_summary=restore_summary,
            verification_after_restore=await read_json(home, "verify"),
            referral_before_backup=before_backup,
            same_referral_after_restore=await show_referral(home, before_backup["referral_id"]),
            referral_unknown_to_audit=await show_referral(home, unknown_to_audit),
            referral_after_backup=await show_referral(home, after_backup),
            referral_after_restore=await place_referral(stack),
            verification_at_end=await read_json(home, "verify"),
            parked_keys=await read_json(home, "parked", "list"),
        )


def destroy_home(home: Home) -> None:
    """Deletes Kafka's files and the secrets; the rest stays, as after the failure of a disk."""
    shutil.rmtree(home.kafka)
    home.secrets_file.unlink()


def test_a_restored_stack_verifies_and_continues(restoration: Restoration) -> None:
    assert restoration.verification_after_restore["verified"], restoration.verification_after_restore
    assert restoration.referral_after_restore["status"] == "placed"
    assert restoration.verification_at_end["verified"], restoration.verification_at_end
    assert restoration.verification_at_end["records"] > restoration.verification_after_restore["records"]
    assert not any(restoration.parked_keys.values())


def test_events_that_audit_had_not_received_are_restored_from_the_journals(restoration: Restoration) -> None:
    assert restoration.restore_summary["records"] > 0
    assert restoration.restore_summary["to_be_sent"] > 0


def test_referrals_in_the_backup_have_their_status_after_the_restore(restoration: Restoration) -> None:
    before, after = restoration.referral_before_backup, restoration.same_referral_after_restore
    assert (after["status"], after["placed_with"]) == ("placed", before["placed_with"])
    assert restoration.referral_unknown_to_audit["status"] != "withdrawn"


def test_a_referral_posted_after_the_backup_is_not_restored(restoration: Restoration) -> None:
    assert restoration.referral_after_backup == {}
