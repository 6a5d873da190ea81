"""The whole stack, as a person runs it: referrals are placed, and the judge checks the record afterwards."""

import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from contracts.catalogue import TOPICS
from devstack.home import EXAMPLE_REFERRAL, FRAMEWORK_FILES, Home
from devstack.names import REFERRAL, SOURCING
from devstack.record import StackRecord
from judge import PACKAGES, Evidence, count_placed, find_faults, find_violations
from judge.events import group_by_key, select_kinds
from judge.outcomes import is_open
from judge.rules import read_rules
from simulator.people import nhs_number
from testkit.stack_process import (
    Caller,
    Json,
    StackProcess,
    connect_caller,
    find_processes,
    run_command,
    start_stack,
)
from testkit.topics import Kept, everything_in
from testkit.waiting import until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

REFERRALS: Final = 30
WORK_TIMEOUT: Final = 300
"""Seconds for conditions that take a few seconds on a machine at rest."""


async def list_referrals(council: Caller) -> list[Json]:
    return (await council.get("/v1/referrals", limit="200"))["items"]


async def withdraw(council: Caller, referral: Json) -> None:
    body = {"reason": "care no longer needed"}
    await council.post(f"/v1/referrals/{referral['referral_id']}/withdrawal", body, status=202)


@dataclass(frozen=True)
class Observation:
    """Everything that can be seen of a stack from outside, at one moment."""

    evidence: Evidence
    answers: Sequence[Json]
    referrals: Sequence[Json]

    @property
    def records(self) -> Sequence[Kept]:
        return self.evidence.records

    def find_violations(self) -> list[str]:
        faults = find_faults(self.evidence.records, self.evidence.receipts, self.answers, self.referrals)
        return sorted({*find_violations(self.evidence), *faults})


async def observe(stack: StackProcess, council: Caller, officer: Caller) -> Observation:
    kafka = StackRecord.load(stack.home).kafka_bootstrap
    records = [record for topic in TOPICS for record in await everything_in(kafka, topic)]
    open_packages = [key for key, story in group_by_key(records, PACKAGES).items() if is_open(story)]
    evidence = Evidence(
        records=records,
        receipts=read_lines(stack.home.webhook_log),
        rules=read_rules(FRAMEWORK_FILES),
        now=datetime.now(UTC),
        work_list=frozenset(item["package_id"] for item in (await officer.get("/v1/work-list", limit="200"))["items"]),
        statuses={key: (await officer.get(f"/v1/packages/{key}/decision"))["status"] for key in open_packages},
    )
    return Observation(evidence, read_lines(stack.home.answer_log), await list_referrals(council))


def read_lines(log: Path) -> list[Json]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


@dataclass(frozen=True)
class Afternoon:
    """A stack that started, worked, was interrupted, and started again."""

    home: Home
    observation: Observation
    history: Json
    withdrawn: Sequence[Json]
    first: Json
    processes_after_first: Sequence[str]
    second: Json
    second_output: str
    trace: Json
    metrics: Sequence[Json]
    processes_after_second: Sequence[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def afternoon(tmp_path_factory: pytest.TempPathFactory) -> Afternoon:
    home = Home(tmp_path_factory.mktemp("afternoon") / "a home")
    async with (
        start_stack(home, "--referrals", str(REFERRALS), "--rate", "6") as stack,
        connect_caller(stack, "council", REFERRAL) as council,
        connect_caller(stack, "officer", SOURCING) as officer,
    ):
        example = await council.post("/v1/referrals", json.loads(EXAMPLE_REFERRAL.read_bytes()), status=201)
        placed_referral = await until(lambda: find_placed(council), within=WORK_TIMEOUT)
        await withdraw(council, placed_referral)
        await withdraw(council, example)
        await until(lambda: has_worked(council), within=WORK_TIMEOUT)
        observation = await observe_at_rest(stack, council, officer)
        history = json.loads(await run_command(home, "referral", "show", placed_referral["referral_id"], "--json"))
        traced = await until(lambda: find_package_with_webhook(home), within=WORK_TIMEOUT)
        first = await stack.interrupt()
    processes_after_first = find_processes(home)
    trace = json.loads(await run_command(home, "trace", traced, "--json"))
    metrics = json.loads(await run_command(home, "metrics", "--json"))
    async with start_stack(home, "--referrals", "3", "--rate", "10") as again:
        await until(lambda: has_caught_up(again, posted=3, placed=first["placed"]), within=WORK_TIMEOUT)
        second = await again.interrupt()
    return Afternoon(
        home=home,
        observation=observation,
        history=history,
        withdrawn=(placed_referral, example),
        first=first,
        processes_after_first=processes_after_first,
        second=second,
        second_output=again.output,
        trace=trace,
        metrics=metrics,
        processes_after_second=find_processes(home),
    )


async def find_placed(council: Caller) -> Json | None:
    return next((referral for referral in await list_referrals(council) if referral["status"] == "placed"), None)


async def has_worked(council: Caller) -> bool:
    """All are posted, half are placed, and both withdrawals are done; some offers stay open for half an hour."""
    statuses = [referral["status"] for referral in await list_referrals(council)]
    return (
        len(statuses) == REFERRALS + 1
        and statuses.count("placed") >= REFERRALS // 2
        and statuses.count("withdrawn") == 2
    )


def has_caught_up(stack: StackProcess, *, posted: int, placed: int) -> bool:
    """The newest line on the screen counts all referrals as posted and at least so many packages as placed."""
    lines = [line for line in stack.output.splitlines() if line.startswith("posted ")]
    counted = re.search(r"\b(\d+) placed\b", lines[-1]) if lines else None
    return counted is not None and lines[-1].startswith(f"posted {posted} ") and int(counted[1]) >= placed


async def find_package_with_webhook(home: Home) -> str | None:
    """Finds an urgent package whose first offer was sent by webhook, received at the first attempt, and answered.

    Offers of urgent packages go out at once at any hour, so that the offer belongs to the trace of the referral. A
    routine package waits for the office to open, and other providers are told by telephone or mail, at another time.
    """
    records = await everything_in(StackRecord.load(home).kafka_bootstrap, PACKAGES)
    receipts = read_lines(home.webhook_log)
    for package_id, story in group_by_key(records, PACKAGES).items():
        requested, offers = select_kinds(story, "PackageRequested"), select_kinds(story, "OfferMade")
        if not requested or requested[0].data["care"]["urgency"] == "routine" or not offers:
            continue
        offer_id = offers[0].data["offer_id"]
        attempts = [receipt["receipt"] for receipt in receipts if receipt["offer_id"] == offer_id]
        answered = [event.data["offer_id"] for event in select_kinds(story, "OfferAccepted", "OfferDeclined")]
        if offers[0].data["channel"] == "webhook" and attempts[:1] == ["taken"] and offer_id in answered:
            return package_id
    return None


async def observe_at_rest(stack: StackProcess, council: Caller, officer: Caller) -> Observation:
    """Observes again while there are violations: an observation can fall between two events; a real fault stays."""
    observation, deadline = await observe(stack, council, officer), time.monotonic() + 60
    while observation.find_violations() and time.monotonic() < deadline:
        observation = await observe(stack, council, officer)
    return observation


def test_every_package_keeps_the_rules(afternoon: Afternoon) -> None:
    assert afternoon.observation.find_violations() == []


def test_packages_are_placed_and_every_referral_is_accepted(afternoon: Afternoon) -> None:
    assert count_placed(afternoon.observation.records) >= REFERRALS // 2
    assert (afternoon.first["posted"], afternoon.first["refused"]) == (REFERRALS, 0)


def test_every_webhook_is_signed(afternoon: Afternoon) -> None:
    assert len(afternoon.observation.evidence.receipts) > REFERRALS
    assert afternoon.first["webhooks_unverified"] == 0


def test_providers_with_a_placement_can_read_who_the_person_is(afternoon: Afternoon) -> None:
    answers = afternoon.observation.answers
    assert len([each for each in answers if each["what"] == "person" and each["status"] == 200]) >= REFERRALS // 3


def test_a_withdrawal_voids_the_placement(afternoon: Afternoon) -> None:
    status = {referral["referral_id"]: referral["status"] for referral in afternoon.observation.referrals}
    assert [status[referral["referral_id"]] for referral in afternoon.withdrawn] == ["withdrawn", "withdrawn"]
    assert [line["what"] for line in afternoon.history["history"]][-3:] == [
        "withdrawal requested",
        "placement voided",
        "withdrawn",
    ]


def test_events_logs_and_telemetry_hold_no_personal_data(afternoon: Afternoon) -> None:
    people = ["Test Person", "Test Street", "Example Person", "Example Street", "CM1 1QH", "CM11QH"]
    numbers = [nhs_number(number) for number in range(REFERRALS + 10)]
    texts = list(read_everything(afternoon))
    assert len(texts) > len(afternoon.observation.records)
    assert [word for word in people + numbers if any(word.encode() in text for text in texts)] == []


def read_everything(afternoon: Afternoon) -> Iterable[bytes]:
    yield from (record.value + repr(record.headers).encode() for record in afternoon.observation.records)
    home = afternoon.home
    yield home.telemetry_file.read_bytes()
    for log in (*home.logs.iterdir(), *home.postgres.glob("*.log"), *home.kafka.glob("*.log")):
        yield log.read_bytes()


def test_a_referral_and_its_first_offer_are_one_trace(afternoon: Afternoon) -> None:
    spans = afternoon.trace["bursts"][0]["spans"]
    by_id = {span["span_id"]: span for span in spans}
    posted = spans[0]
    assert (posted["service"], posted["name"], posted["parent_id"]) == ("referral", "POST /v1/referrals", None)
    webhook = next(span for span in spans if span["name"] == "webhook offer.made")
    assert list_ancestors(webhook, by_id) == [
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
    assert list_ancestors(delivered, by_id)[-2] == ("provider-registry", "webhook offer.made")
    sent = [span for span in spans if span["name"] == "send homecare.packages.v1"]
    assert {by_id[span["parent_id"]]["service"] for span in sent} >= {"referral", "sourcing", "provider-registry"}


def list_ancestors(span: Json, by_id: dict[str, Json]) -> list[tuple[str, str]]:
    """Lists the path from the root to the span."""
    path = [(span["service"], span["name"])]
    while span["parent_id"] is not None:
        span = by_id[span["parent_id"]]
        path.insert(0, (span["service"], span["name"]))
    return path


def test_every_span_of_a_package_names_it(afternoon: Afternoon) -> None:
    spans = [span for burst in afternoon.trace["bursts"] for span in burst["spans"]]
    assert {span["attributes"].get("calloff.package_id") for span in spans} == {afternoon.trace["package_id"]}
    assert len({span["trace_id"] for span in spans}) == len(afternoon.trace["bursts"]) > 1


def test_services_export_their_metrics(afternoon: Afternoon) -> None:
    metrics = {(metric["service"], metric["name"]): metric for metric in afternoon.metrics}
    assert metrics["sourcing", "calloff_offers_per_placement"]["count"] > 0
    assert metrics["sourcing", "calloff_time_to_first_offer_seconds"]["count"] > 0
    assert ("audit", "calloff_consumer_lag") in metrics
    assert all((service, "calloff_parked_keys") in metrics for service in ("referral", "sourcing", "provider-registry"))


def test_no_process_restarts_and_none_is_left_running(afternoon: Afternoon) -> None:
    assert (afternoon.first["restarts"], afternoon.second["restarts"]) == (0, 0)
    assert (afternoon.processes_after_first, afternoon.processes_after_second) == ([], [])
    assert not afternoon.home.record_file.exists()


def test_a_second_start_continues_where_the_first_ended(afternoon: Afternoon) -> None:
    assert "Migrations" not in afternoon.second_output
    assert afternoon.second["placed"] >= afternoon.first["placed"] > 0
    assert afternoon.second["posted"] == 3
