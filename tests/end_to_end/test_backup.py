"""A stack is copied while it works, destroyed, and restored: the record verifies, and new referrals go on."""

import asyncio
import json
import os
import shutil
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from devstack.home import HOME_VARIABLE, REPOSITORY, Home
from devstack.names import AUDIT
from devstack.record import StackRecord
from testkit.waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(600), pytest.mark.xdist_group("end-to-end")]

SOME = 5
Json = dict[str, Any]  # what commands print is compared as it came


async def calloff(home: Home, *arguments: str, errors: int = DEVNULL) -> Process:
    environment = {**os.environ, HOME_VARIABLE: str(home.folder)}
    command = (sys.executable, "-m", "calloff", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=errors)


async def said(home: Home, *arguments: str) -> Json:
    """What a command says in JSON; nothing where it is refused."""
    printed, _ = await (await calloff(home, *arguments, "--json")).communicate()
    return json.loads(printed or "{}")


@asynccontextmanager
async def up(home: Home) -> AsyncGenerator[None]:
    """A stack to which nobody posts; whatever happens, it has ended afterwards."""
    screen = home.folder.with_name("screen.txt")
    with screen.open("wb") as shown:
        process = await calloff(home, "up", "--free-ports", "--json", "--referrals", "0", errors=shown.fileno())
    try:
        await until(lambda: "Call-off is up" in screen.read_text() or process.returncode is not None, within=180)
        assert "Call-off is up" in screen.read_text(), screen.read_text()
        yield
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        await process.communicate()


async def post(home: Home) -> str:
    """A new referral; its id."""
    return (await said(home, "referral", "post", "--urgent"))["referral_id"]


async def show(home: Home, referral_id: str) -> Json:
    return await said(home, "referral", "show", referral_id)


async def a_placed_referral(home: Home) -> Json:
    """Not every provider answers: of some referrals one is placed soon."""
    posted = [await post(home) for _ in range(SOME)]
    give_up = time.monotonic() + 90
    while True:
        seen = [await show(home, referral_id) for referral_id in posted]
        placed = [each for each in seen if each["status"] == "placed"]
        if placed:
            return placed[0]
        assert time.monotonic() < give_up, [(each["status"], each["history"]) for each in seen]
        await asyncio.sleep(0.2)


@contextmanager
def while_audit_hears_nothing(home: Home) -> Any:
    """Frozen, so that what is said meanwhile stands in the journals alone."""
    pid = StackRecord.load(home).pids[AUDIT]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@dataclass(frozen=True)
class Restoration:
    """A stack that was copied, destroyed, restored and started again."""

    restored: Json
    verified_at_once: Json
    before: Json
    before_seen_again: Json
    unheard: Json
    lost: Json
    after: Json
    verified_at_last: Json
    parked: Json


@pytest.fixture(scope="module")
async def restoration(tmp_path_factory: pytest.TempPathFactory) -> Restoration:
    home = Home(tmp_path_factory.mktemp("restoration") / "a home")
    copy = home.folder.with_name("a copy")
    home.folder.mkdir()
    home.postcodes.symlink_to(_postcodes_of_the_checkout())
    async with up(home):
        before = await a_placed_referral(home)
        with while_audit_hears_nothing(home):
            unheard = await post(home)
            await said(home, "backup", str(copy))
        lost = await post(home)
    destroy(home)
    restored = await said(home, "restore", "--fresh", str(copy))
    async with up(home):
        return Restoration(
            restored=restored,
            verified_at_once=await said(home, "verify"),
            before=before,
            before_seen_again=await show(home, before["referral_id"]),
            unheard=await show(home, unheard),
            lost=await show(home, lost),
            after=await a_placed_referral(home),
            verified_at_last=await said(home, "verify"),
            parked=await said(home, "parked", "list"),
        )


def _postcodes_of_the_checkout() -> Path:
    """Their index takes long to build, and is the same for everybody."""
    theirs = Home(REPOSITORY / ".calloff").postcodes
    theirs.mkdir(parents=True, exist_ok=True)
    return theirs


def destroy(home: Home) -> None:
    """As a disk does that breaks: half of it is left."""
    shutil.rmtree(home.kafka)
    home.secrets_file.unlink()


def test_what_is_restored_verifies_and_goes_on(restoration: Restoration) -> None:
    assert restoration.verified_at_once["verified"], restoration.verified_at_once
    assert restoration.after["status"] == "placed"
    assert restoration.verified_at_last["verified"], restoration.verified_at_last
    assert restoration.verified_at_last["records"] > restoration.verified_at_once["records"]
    assert not any(restoration.parked.values())


def test_what_audit_had_not_heard_comes_from_the_journals(restoration: Restoration) -> None:
    assert restoration.restored["records"] > 0
    assert restoration.restored["to_be_sent"] > 0


def test_what_was_copied_stands_where_it_stood(restoration: Restoration) -> None:
    before, again = restoration.before, restoration.before_seen_again
    assert (again["status"], again["placed_with"]) == ("placed", before["placed_with"])
    assert restoration.unheard["status"] != "withdrawn"


def test_what_came_after_the_copy_is_not_known(restoration: Restoration) -> None:
    assert restoration.lost == {}
