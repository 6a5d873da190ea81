"""The whole of Call-off, as a person runs it: referrals flow, and everything that was said is judged afterwards."""

import asyncio
import json
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
import pytest
import pytest_asyncio

from contracts.catalogue import TOPICS
from devstack.home import CHOSEN_BY, EXAMPLE_REFERRAL, FRAMEWORK_FILES, Home
from devstack.names import REFERRAL, SOURCING
from devstack.record import StackRecord
from judge import PACKAGES, Evidence, faults_of, placed, violations_in
from judge.outcomes import is_open
from judge.record import stories_in
from judge.rules import read_rules
from simulator.people import nhs_number
from testkit.topics import Kept, everything_in
from testkit.waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(420), pytest.mark.xdist_group("end-to-end")]

REFERRALS: Final = 30
Json = dict[str, Any]  # what commands and APIs print is compared as it came


@dataclass(frozen=True)
class Run:
    """One `calloff up`, from the outside."""

    home: Home
    process: Process
    screen: Path

    @property
    def said(self) -> str:
        """What a person at the terminal has read so far."""
        return self.screen.read_text()

    async def interrupt(self) -> Json:
        """Ctrl-C; the summary."""
        self.process.send_signal(signal.SIGINT)
        return await self.summary()

    async def summary(self) -> Json:
        """What it prints when it has ended well."""
        printed, _ = await self.process.communicate()
        assert self.process.returncode == 0, self.said
        return json.loads(printed)


async def calloff(home: Home, *arguments: str, errors: int = DEVNULL) -> Process:
    environment = {**os.environ, CHOSEN_BY: str(home.folder)}
    command = (sys.executable, "-m", "calloff", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=PIPE, stderr=errors)


async def printed_by(home: Home, *arguments: str) -> str:
    """What a command prints while a stack runs on `home`."""
    printed, _ = await (await calloff(home, *arguments)).communicate()
    return printed.decode().strip()


@asynccontextmanager
async def up(home: Home, *arguments: str) -> AsyncGenerator[Run]:
    """A stack that came up; whatever happens, it has ended afterwards."""
    screen = home.folder.with_name(f"screen-{time.monotonic_ns()}.txt")
    with screen.open("wb") as shown:
        process = await calloff(home, "up", "--free-ports", "--json", *arguments, errors=shown.fileno())
    run = Run(home, process, screen)
    try:
        await until(lambda: "Call-off is up" in run.said or process.returncode is not None, within=180)
        assert "Call-off is up" in run.said, run.said
        yield run
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


@dataclass(frozen=True)
class Caller:
    """Somebody who calls a service, with the token that `calloff token` gave them."""

    session: aiohttp.ClientSession
    url: str

    async def get(self, path: str, **parameters: str) -> Json:
        async with self.session.get(self.url + path, params=parameters) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: Json, *, status: int) -> Json:
        async with self.session.post(self.url + path, json=body) as answer:
            assert answer.status == status, await answer.text()
            return await answer.json()


@asynccontextmanager
async def caller(run: Run, name: str, service: str) -> AsyncGenerator[Caller]:
    token = await printed_by(run.home, "token", "--as", name)
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        yield Caller(session, StackRecord.of(run.home).urls[service])


async def referrals_of(council: Caller) -> list[Json]:
    return (await council.get("/v1/referrals", limit="200"))["items"]


async def withdraw(council: Caller, referral: Json) -> None:
    body = {"reason": "care no longer needed"}
    await council.post(f"/v1/referrals/{referral['referral_id']}/withdrawal", body, status=202)


@dataclass(frozen=True)
class Look:
    """All that others can see of a stack, at one moment."""

    evidence: Evidence
    answers: Sequence[Json]
    referrals: Sequence[Json]

    @property
    def records(self) -> Sequence[Kept]:
        return self.evidence.records

    def violations(self) -> list[str]:
        told = faults_of(self.evidence.records, self.evidence.receipts, self.answers, self.referrals)
        return sorted({*violations_in(self.evidence), *told})


async def look_at(run: Run, council: Caller, officer: Caller) -> Look:
    kafka = StackRecord.of(run.home).kafka_bootstrap
    records = [record for topic in TOPICS for record in await everything_in(kafka, topic)]
    open_ones = [key for key, story in stories_in(records, PACKAGES).items() if is_open(story)]
    evidence = Evidence(
        records=records,
        receipts=lines_of(run.home.received),
        rules=read_rules(FRAMEWORK_FILES),
        now=datetime.now(UTC),
        work_list=frozenset(item["package_id"] for item in (await officer.get("/v1/work-list", limit="200"))["items"]),
        statuses={key: (await officer.get(f"/v1/packages/{key}/decision"))["status"] for key in open_ones},
    )
    return Look(evidence, lines_of(run.home.answered), await referrals_of(council))


def lines_of(log: Path) -> list[Json]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


@dataclass(frozen=True)
class Afternoon:
    """A stack came up, worked, was interrupted, and came up again."""

    home: Home
    seen: Look
    shown: Json
    withdrawn: Sequence[Json]
    first: Json
    left_by_first: Sequence[str]
    second: Json
    second_screen: str
    traced: Json
    measured: Sequence[Json]
    left_by_second: Sequence[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Afternoon:
    home = Home(tmp_path_factory.mktemp("afternoon") / "a home")
    async with (
        up(home, "--referrals", str(REFERRALS), "--rate", "6") as run,
        caller(run, "council", REFERRAL) as council,
        caller(run, "officer", SOURCING) as officer,
    ):
        example = await council.post("/v1/referrals", json.loads(EXAMPLE_REFERRAL.read_bytes()), status=201)
        placed_one = await until(lambda: _a_placed_one(council), within=60)
        await withdraw(council, placed_one)
        await withdraw(council, example)
        await until(lambda: _enough(council), within=60)
        seen = await judged(run, council, officer)
        shown = json.loads(await printed_by(home, "referral", "show", placed_one["referral_id"], "--json"))
        first = await run.interrupt()
    left_by_first = processes_of(home)
    traced = json.loads(await printed_by(home, "trace", placed_one["package_id"], "--json"))
    measured = json.loads(await printed_by(home, "metrics", "--json"))
    async with up(home, "--referrals", "3", "--rate", "10", "--for", "2s") as again:
        second = await again.summary()
    return Afternoon(
        home=home,
        seen=seen,
        shown=shown,
        withdrawn=(placed_one, example),
        first=first,
        left_by_first=left_by_first,
        second=second,
        second_screen=again.said,
        traced=traced,
        measured=measured,
        left_by_second=processes_of(home),
    )


async def _a_placed_one(council: Caller) -> Json | None:
    return next((each for each in await referrals_of(council) if each["status"] == "placed"), None)


async def _enough(council: Caller) -> bool:
    """All are posted, half are placed, and both withdrawals are answered; some offers stay open for half an hour."""
    seen = [each["status"] for each in await referrals_of(council)]
    return len(seen) == REFERRALS + 1 and seen.count("placed") >= REFERRALS // 2 and seen.count("withdrawn") == 2


async def judged(run: Run, council: Caller, officer: Caller) -> Look:
    """Looks until nothing is wrong: a look can fall between two events, and what is really wrong stays wrong."""
    seen, give_up = await look_at(run, council, officer), time.monotonic() + 30
    while seen.violations() and time.monotonic() < give_up:
        seen = await look_at(run, council, officer)
    return seen


def processes_of(home: Home) -> list[str]:
    """Whatever runs with this folder on its command line or in its environment."""
    return [told for process in psutil.process_iter() if str(home.folder) in (told := _told_by(process))]


def _told_by(process: psutil.Process) -> str:
    try:
        return " ".join([str(process.pid), *process.cmdline(), *process.environ().values()])
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""


def test_every_story_keeps_the_rules(afternoon: Afternoon) -> None:
    assert afternoon.seen.violations() == []


def test_packages_are_placed_and_every_referral_was_taken_in(afternoon: Afternoon) -> None:
    assert placed(afternoon.seen.records) >= REFERRALS // 2
    assert (afternoon.first["posted"], afternoon.first["refused"]) == (REFERRALS, 0)


def test_every_webhook_was_signed(afternoon: Afternoon) -> None:
    assert len(afternoon.seen.evidence.receipts) > REFERRALS
    assert afternoon.first["webhooks_unverified"] == 0


def test_placed_providers_were_shown_the_person(afternoon: Afternoon) -> None:
    shown = [answer for answer in afternoon.seen.answers if answer["what"] == "person" and answer["status"] == 200]
    assert len(shown) >= REFERRALS // 3


def test_what_was_withdrawn_is_withdrawn(afternoon: Afternoon) -> None:
    status = {each["referral_id"]: each["status"] for each in afternoon.seen.referrals}
    assert [status[each["referral_id"]] for each in afternoon.withdrawn] == ["withdrawn", "withdrawn"]
    assert [line["what"] for line in afternoon.shown["history"]][-3:] == [
        "withdrawal requested",
        "placement voided",
        "withdrawn",
    ]


def test_nobody_can_be_recognised_from_events_logs_or_webhooks(afternoon: Afternoon) -> None:
    people = ["Test Person", "Test Street", "Example Person", "Example Street", "CM1 1QH", "CM11QH"]
    numbers = [nhs_number(number) for number in range(REFERRALS + 10)]
    told = list(_everything_told(afternoon))
    assert len(told) > len(afternoon.seen.records)
    assert [word for word in people + numbers if any(word.encode() in text for text in told)] == []


def _everything_told(afternoon: Afternoon) -> Iterable[bytes]:
    yield from (record.value + repr(record.headers).encode() for record in afternoon.seen.records)
    home = afternoon.home
    yield home.telemetry.read_bytes()
    for log in (*home.logs.iterdir(), *home.postgres.glob("*.log"), *home.kafka.glob("*.log")):
        yield log.read_bytes()


def test_a_referral_and_all_that_followed_at_once_is_one_trace(afternoon: Afternoon) -> None:
    spans = afternoon.traced["bursts"][0]["spans"]
    by_id = {span["span_id"]: span for span in spans}
    posted = spans[0]
    assert (posted["service"], posted["name"], posted["parent_id"]) == ("referral", "POST /v1/referrals", None)
    webhook = next(span for span in spans if span["name"] == "webhook offer.made")
    assert way_to(webhook, by_id) == [
        ("referral", "POST /v1/referrals"),
        ("sourcing", "process homecare.packages.v1"),
        ("provider-registry", "process homecare.packages.v1"),
        ("provider-registry", "webhook offer.made"),
    ]
    delivered = next(
        span
        for span in spans
        if span["service"] == "sourcing" and span["attributes"].get("calloff.event") == "calloff.OfferDelivered.v1"
    )
    assert way_to(delivered, by_id)[-2] == ("provider-registry", "webhook offer.made")
    sent = [span for span in spans if span["name"] == "send homecare.packages.v1"]
    assert {by_id[span["parent_id"]]["service"] for span in sent} >= {"referral", "sourcing", "provider-registry"}


def way_to(span: Json, by_id: dict[str, Json]) -> list[tuple[str, str]]:
    """From the first cause to the span."""
    way = [(span["service"], span["name"])]
    while span["parent_id"] is not None:
        span = by_id[span["parent_id"]]
        way.insert(0, (span["service"], span["name"]))
    return way


def test_every_span_of_a_package_says_which(afternoon: Afternoon) -> None:
    spans = [span for burst in afternoon.traced["bursts"] for span in burst["spans"]]
    assert {span["attributes"].get("calloff.package_id") for span in spans} == {afternoon.traced["package_id"]}
    assert len({span["trace_id"] for span in spans}) == len(afternoon.traced["bursts"]) > 1


def test_services_told_their_numbers(afternoon: Afternoon) -> None:
    told = {(each["service"], each["name"]): each for each in afternoon.measured}
    assert told["sourcing", "calloff_offers_per_placement"]["count"] > 0
    assert told["sourcing", "calloff_time_to_first_offer_seconds"]["count"] > 0
    assert ("audit", "calloff_consumer_lag") in told
    assert all((service, "calloff_parked_keys") in told for service in ("referral", "sourcing", "provider-registry"))


def test_nothing_died_and_nothing_is_left_running(afternoon: Afternoon) -> None:
    assert (afternoon.first["restarts"], afternoon.second["restarts"]) == (0, 0)
    assert (afternoon.left_by_first, afternoon.left_by_second) == ([], [])
    assert not afternoon.home.stack.exists()


def test_a_second_start_goes_on_where_the_first_ended(afternoon: Afternoon) -> None:
    assert "Migrations" not in afternoon.second_screen
    assert afternoon.second["placed"] >= afternoon.first["placed"] > 0
    assert afternoon.second["posted"] == 3
