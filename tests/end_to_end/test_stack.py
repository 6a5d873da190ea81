"""The whole stack: referrals are placed, the judge checks the record, and a second start continues."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio

from devstack.home import EXAMPLE_REFERRAL, Home
from devstack.record import StackRecord
from judge import PACKAGES, count_placed
from judge.events import group_by_key, select_kinds
from simulator.person_factory import build_nhs_number
from testkit.metrics_pages import fetch_metrics_pages, find_missing
from testkit.stack_observation import Observation, connect_council, list_referrals, observe_at_rest, read_lines
from testkit.stack_process import (
    Json,
    StackClient,
    StackProcess,
    find_processes,
    run_command,
    start_stack,
)
from testkit.topics import read_topic
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

REFERRALS: Final = 30
WORK_TIMEOUT: Final = 300
"""Seconds for conditions that take a few seconds on a machine at rest."""


async def request_withdrawal(council: StackClient, referral: Json) -> None:
    body = {"reason": "no-longer-needed"}
    await council.post(f"/v1/referrals/{referral['referral_id']}/withdrawal", body, status=202)


@dataclass(frozen=True)
class StackRun:
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
    metrics_pages: Sequence[str]
    processes_after_second: Sequence[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stack_run(tmp_path_factory: pytest.TempPathFactory) -> StackRun:
    home = Home(tmp_path_factory.mktemp("stack-run") / "a home")
    async with (
        start_stack(home, "--referrals", str(REFERRALS), "--rate", "6") as stack,
        connect_council(stack, "essex") as essex,
        connect_council(stack, "oxfordshire") as oxfordshire,
    ):
        council = essex.system
        example = await council.post("/v1/referrals", json.loads(EXAMPLE_REFERRAL.read_bytes()), status=201)
        placed_referral = await wait_until(lambda: find_placed(council), within=WORK_TIMEOUT)
        await request_withdrawal(council, placed_referral)
        await request_withdrawal(council, example)
        await wait_until(lambda: has_worked(essex.system, oxfordshire.system), within=WORK_TIMEOUT)
        observation = await observe_at_rest(stack, essex, oxfordshire)
        history = json.loads(await run_command(home, "referral", "show", placed_referral["referral_id"], "--json"))
        traced = await wait_until(lambda: find_package_with_webhook(home), within=WORK_TIMEOUT)
        metrics_pages = await fetch_metrics_pages(StackRecord.load(home).urls.values())
        first = await stack.interrupt()
    processes_after_first = find_processes(home)
    trace = json.loads(await run_command(home, "trace", traced, "--json"))
    metrics = json.loads(await run_command(home, "metrics", "--json"))
    async with start_stack(home, "--referrals", "3", "--rate", "10") as again:
        await wait_until(lambda: has_caught_up(again, posted=3, placed=first["placed"]), within=WORK_TIMEOUT)
        second = await again.interrupt()
    return StackRun(
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
        metrics_pages=metrics_pages,
        processes_after_second=find_processes(home),
    )


async def find_placed(council: StackClient) -> Json | None:
    return next((referral for referral in await list_referrals(council) if referral["status"] == "placed"), None)


async def has_worked(*councils: StackClient) -> bool:
    """All are posted, half are placed, and both withdrawals are done; some offers stay open for half an hour."""
    statuses = [referral["status"] for council in councils for referral in await list_referrals(council)]
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
    routine package waits for the office to open, and other providers are reached by telephone or mail, later.
    """
    records = await read_topic(StackRecord.load(home).kafka, PACKAGES)
    receipts = read_lines(home.webhook_log)
    for package_id, story in group_by_key(records, PACKAGES).items():
        requested, offers = select_kinds(story, "PackageRequested"), select_kinds(story, "OfferMade")
        if not requested or not requested[0].data["care"]["urgent"] or not offers:
            continue
        offer_id = offers[0].data["offer_id"]
        attempts = [receipt["reaction"] for receipt in receipts if receipt["offer_id"] == offer_id]
        answered = [event.data["offer_id"] for event in select_kinds(story, "OfferAccepted", "OfferDeclined")]
        if offers[0].data["channel"] == "webhook" and attempts[:1] == ["acknowledged"] and offer_id in answered:
            return package_id
    return None


def test_every_package_follows_the_rules(stack_run: StackRun) -> None:
    assert stack_run.observation.find_violations() == []


def test_packages_are_placed_and_every_referral_is_accepted(stack_run: StackRun) -> None:
    assert count_placed(stack_run.observation.records) >= REFERRALS // 2
    assert (stack_run.first["posted"], stack_run.first["refused"]) == (REFERRALS, 0)


def test_every_webhook_is_signed(stack_run: StackRun) -> None:
    assert len(stack_run.observation.evidence.webhook_requests) > REFERRALS
    assert stack_run.first["webhooks_unverified"] == 0


def test_providers_with_a_placement_can_read_who_the_person_is(stack_run: StackRun) -> None:
    answers = stack_run.observation.answers
    assert len([each for each in answers if each["what"] == "person" and each["status"] == 200]) >= REFERRALS // 3


def test_a_withdrawal_voids_the_placement(stack_run: StackRun) -> None:
    status = {referral["referral_id"]: referral["status"] for referral in stack_run.observation.referrals}
    assert [status[referral["referral_id"]] for referral in stack_run.withdrawn] == ["withdrawn", "withdrawn"]
    # The provider may read who the person is until its placement is voided.
    steps = [line["what"] for line in stack_run.history["history"] if line["what"] != "person shown to the provider"]
    assert steps[-3:] == [
        "withdrawal requested",
        "placement voided",
        "withdrawn",
    ]


def test_events_logs_and_telemetry_hold_no_personal_data(stack_run: StackRun) -> None:
    people = ["Test Person", "Test Street", "Example Person", "Example Street", "CM1 1QH", "CM11QH"]
    numbers = [build_nhs_number(number) for number in range(REFERRALS + 10)]
    texts = list(read_all_texts(stack_run))
    assert len(texts) > len(stack_run.observation.records)
    assert [word for word in people + numbers if any(word.encode() in text for text in texts)] == []


def read_all_texts(stack_run: StackRun) -> Iterable[bytes]:
    yield from (record.value + repr(record.headers).encode() for record in stack_run.observation.records)
    home = stack_run.home
    yield home.telemetry_file.read_bytes()
    for log in (*home.logs.iterdir(), *home.postgres.glob("*.log"), *home.kafka.glob("*.log")):
        yield log.read_bytes()


def test_a_referral_and_its_first_offer_are_one_trace(stack_run: StackRun) -> None:
    spans = stack_run.trace["bursts"][0]["spans"]
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


def test_every_span_of_a_package_names_it(stack_run: StackRun) -> None:
    spans = [span for burst in stack_run.trace["bursts"] for span in burst["spans"]]
    assert {span["attributes"].get("calloff.package_id") for span in spans} == {stack_run.trace["package_id"]}
    assert len({span["trace_id"] for span in spans}) == len(stack_run.trace["bursts"]) > 1


def test_services_export_their_metrics_and_all_that_dashboards_and_alerts_use(stack_run: StackRun) -> None:
    metrics = {(metric["service"], metric["name"]): metric for metric in stack_run.metrics}
    assert metrics["sourcing", "calloff_offers_per_placement"]["count"] > 0
    assert metrics["sourcing", "calloff_time_to_first_offer_seconds"]["count"] > 0
    assert find_missing(stack_run.metrics_pages) == []
    assert ("audit", "calloff_consumer_lag") in metrics
    assert all((service, "calloff_parked_keys") in metrics for service in ("referral", "sourcing", "provider-registry"))


def test_no_process_restarts_and_none_is_left_running(stack_run: StackRun) -> None:
    assert (stack_run.first["restarts"], stack_run.second["restarts"]) == (0, 0)
    assert (stack_run.processes_after_first, stack_run.processes_after_second) == ([], [])
    assert not stack_run.home.record_file.exists()


def test_a_second_start_continues_where_the_first_ended(stack_run: StackRun) -> None:
    assert "Migrations" not in stack_run.second_output
    assert stack_run.second["placed"] >= stack_run.first["placed"] > 0
    assert stack_run.second["posted"] == 3
