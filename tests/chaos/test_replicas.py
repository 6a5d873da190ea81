"""Two processes of every service under load: some are killed, some are frozen and continued, all are restarted.

Referrals are posted at a steady rate, and the providers' systems decline a package's first offer and accept its second.
Judged are the record on Kafka and in audit, what the services answered, and what the receivers got.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import psutil
import pytest
from rich.console import Console

from bench.databases import connect
from bench.event_reader import EventReader
from bench.market import build_market
from calloff.client import RetryingApiClient
from contracts.catalogue import TOPICS
from devstack.config import SERVICES, ServiceDefinition
from devstack.errors import ServiceUnreachable
from devstack.home import FRAMEWORK_FILES, Home
from devstack.issuer.identities import find_identity
from devstack.issuer.server import serve_app
from devstack.json_lines import JsonLinesWriter
from devstack.names import AUDIT, RECEIVERS
from devstack.processes import run_in_thread
from devstack.replicas import Replica
from devstack.screen import PlainScreen
from devstack.service_processes import ServiceProcess
from geography import PostcodeDirectory
from judge import PACKAGES, Evidence, find_violations
from judge.events import group_by_key, select_kinds
from judge.rules import read_rules
from service_runtime.outbox.relay import LOCK
from simulator.person_factory import PersonFactory
from simulator.postcodes import sample_postcodes
from simulator.providers import EndpointSecrets
from simulator.stack import ServiceStack, register_market, start_stack
from simulator.steady_load import SteadyLoad, WebhookBody
from simulator.webhook_receivers import WebhookLogEntry, WebhookReceivers
from testkit.chain_checker import remove_repeats
from testkit.stack_process import link_postcodes
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

REPLICAS: Final = 2
RATE: Final = 5.0
"""Referrals a second."""
PROGRESS: Final = 10
"""Referrals posted after a disturbance whose whole chains show that work goes on."""
WORK_TIMEOUT: Final = 300
"""Seconds for conditions that take a few seconds on a machine at rest."""
_ORDERED: Final = "PurchaseOrderIssued"
_FIND_LOCK: Final = """
    SELECT client_port FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = $1
      AND (CAST(classid AS bigint) << 32) | CAST(objid AS bigint) = hashtextextended($2, 0)
"""


@dataclass(frozen=True)
class ReplicatedStack:
    """A stack with two processes of each service, a council that posts, and the events that became readable."""

    stack: ServiceStack
    load: SteadyLoad
    reader: EventReader

    def list_replicas(self, service: str) -> list[tuple[Replica, ServiceProcess]]:
        return [
            (each, self.stack.programs[each.name]) for each in self.stack.config.replicas if each.service == service
        ]

    async def wait_until_ready(self, replica: Replica) -> None:
        async def is_ready() -> bool:
            try:
                async with self.stack.session.get(replica.readiness_url) as response:
                    return response.status == 200
            except (aiohttp.ClientError, OSError):
                return False

        await wait_until(is_ready, within=WORK_TIMEOUT)

    async def wait_for_progress(self) -> None:
        """Waits until referrals that are posted from now on have gone through all services."""
        begun = time.perf_counter()

        def count_ordered() -> int:
            return sum(at > begun and self.is_ordered(package) for package, at in self.load.posted.items())

        await wait_until(lambda: count_ordered() >= PROGRESS, within=WORK_TIMEOUT)

    def is_ordered(self, package: str) -> bool:
        return _ORDERED in self.reader.events[package]

    async def find_relaying(self, service: ServiceDefinition) -> tuple[Replica, ServiceProcess]:
        """Finds the process that holds the lock of the service's relay."""
        async with connect(self.stack.config.postgres) as connection:
            (row,) = await connection.fetch(_FIND_LOCK, service.package, LOCK)
        return next(
            (replica, process)
            for replica, process in self.list_replicas(service.name)
            if row["client_port"] in {each.laddr.port for each in psutil.Process(process.pid).net_connections()}
        )


@asynccontextmanager
async def start_replicas(home: Home) -> AsyncGenerator[ReplicatedStack]:
    async with AsyncExitStack() as held:
        screen = PlainScreen(Console(stderr=True))
        stack = await start_stack(
            home, screen, held, extra_environment={"CALLOFF_LOG_LEVEL": "warning"}, replicas=REPLICAS
        )
        definitions = [file.read_bytes() for file in FRAMEWORK_FILES]
        await register_market(stack, build_market(), definitions, screen, today=datetime.now(UTC).date())
        directory = PostcodeDirectory.open(home.postcodes)
        load = SteadyLoad(stack, PersonFactory(sample_postcodes(directory, per_district=40, seed=11), seed=11))
        log = JsonLinesWriter[WebhookLogEntry](home.webhook_log)
        held.callback(log.close)
        receivers = WebhookReceivers(
            EndpointSecrets(home).get_secret,
            log,
            choose_reaction=load.choose_reaction,
            handle_webhook=load.answer_offer,
        )
        app = receivers.build_app()
        app.middlewares.append(load.record_request)
        await held.enter_async_context(serve_app(app, stack.config.addresses.ports[RECEIVERS]))
        reader = EventReader()
        reading = asyncio.create_task(reader.follow(stack.kafka))
        try:
            yield ReplicatedStack(stack, load, reader)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


def send_signal(process: ServiceProcess, number: signal.Signals) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


async def kill_one_of_each(running: ReplicatedStack) -> None:
    """Kills one process of each service in turn, while the others go on, and starts it again."""
    killed: list[Replica] = []
    for service in SERVICES:
        replica, process = await running.find_relaying(service)
        send_signal(process, signal.SIGKILL)
        await run_in_thread(process.wait)
        await run_in_thread(process.start)
        killed.append(replica)
    await running.wait_for_progress()
    for replica in killed:
        await running.wait_until_ready(replica)


async def freeze_one_of_each(running: ReplicatedStack) -> None:
    """Freezes the process of each service that relays, until the others have taken over all of its work."""
    frozen = [await running.find_relaying(service) for service in SERVICES]
    for _, process in frozen:
        send_signal(process, signal.SIGSTOP)
    try:
        await running.wait_for_progress()
    finally:
        for _, process in frozen:
            send_signal(process, signal.SIGCONT)
    for replica, _ in frozen:
        await running.wait_until_ready(replica)


async def restart_all(running: ReplicatedStack) -> None:
    """Restarts the processes of each service one after the other, as a rolling upgrade does."""

    async def restart(service: str) -> None:
        for replica, process in running.list_replicas(service):
            await run_in_thread(process.stop)
            await run_in_thread(process.start)
            await running.wait_until_ready(replica)

    await asyncio.gather(*(restart(service.name) for service in SERVICES))
    await running.wait_for_progress()


async def wait_until_at_rest(running: ReplicatedStack) -> None:
    await wait_until(lambda: all(map(running.is_ordered, running.load.posted)), within=WORK_TIMEOUT)

    async def are_outboxes_empty() -> bool:
        return not any([await fetch_number(running, service, "SELECT count(*) FROM outbox") for service in SERVICES])

    await wait_until(are_outboxes_empty, within=WORK_TIMEOUT)


async def fetch_number(running: ReplicatedStack, service: ServiceDefinition, query: str) -> int:
    async with connect(running.stack.config.postgres, service.package) as connection:
        return await connection.fetchval(query)


async def read_record(running: ReplicatedStack) -> list[TopicRecord]:
    return [record for topic in TOPICS for record in await read_topic(running.stack.kafka, topic)]


async def find_unpublished(running: ReplicatedStack, records: Iterable[TopicRecord]) -> list[str]:
    """Returns the events of all journals that are not on Kafka."""
    published = {record.get_header("ce_id") for record in records}
    committed: set[str] = set()
    for service in SERVICES:
        async with connect(running.stack.config.postgres, service.package) as connection:
            committed |= {str(row["id"]) for row in await connection.fetch("SELECT id FROM journal")}
    return sorted(committed - published)


async def verify_audit(running: ReplicatedStack, *, records: int) -> None:
    """Waits until audit has stored that many records, and lets it verify all of them from the bytes."""
    stack = running.stack
    caller = RetryingApiClient(stack.session, stack.tokens, find_identity("operator"))

    async def fetch_report() -> dict[str, object] | None:
        try:
            answer = await caller.get(f"{stack.urls[AUDIT]}/v1/verification", records="1000000")
        except ServiceUnreachable:  # the balancer cut the connection of a process that was slow for a moment
            return None
        report = json.loads(answer.body)
        return report if report["records"] >= records else None

    report = await wait_until(fetch_report, within=WORK_TIMEOUT)
    assert (report["verified"], report["faults"], report["next"]) == (True, [], None)


def find_outcomes(records: Sequence[TopicRecord]) -> dict[str, list[str]]:
    """Returns the outcomes of each package: its placements and orders."""
    stories = group_by_key(records, PACKAGES)
    return {
        key: [event.kind for event in select_kinds(story, "PackagePlaced", "SourcingExhausted", _ORDERED)]
        for key, story in stories.items()
    }


def find_webhook_faults(received: Sequence[WebhookBody], records: Sequence[TopicRecord]) -> list[str]:
    """Finds offers that no receiver got, repeats with another body, and webhooks that overtook an earlier one."""
    bodies: dict[str, bytes] = {}
    queues: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    offers: set[str] = set()
    faults: list[str] = []
    for webhook in received:
        if bodies.setdefault(webhook.id, webhook.body) is not webhook.body:
            faults += [f"webhook {webhook.id} was repeated with another body"] * (bodies[webhook.id] != webhook.body)
            continue
        content = json.loads(webhook.body)
        queues[webhook.provider, content["data"]["package_id"]].append(content["timestamp"])
        offers.add(content["data"].get("offer_id", ""))
    faults += [f"{queue}: webhooks came in another order" for queue, at in queues.items() if at != sorted(at)]
    made = [event for story in group_by_key(records, PACKAGES).values() for event in select_kinds(story, "OfferMade")]
    return faults + [
        f"no receiver got offer {each.data['offer_id']}" for each in made if each.data["offer_id"] not in offers
    ]


async def test_nothing_is_lost_doubled_or_reordered_while_replicas_die_freeze_and_restart(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    link_postcodes(home)
    async with start_replicas(home) as running:
        stop = asyncio.Event()
        posting = asyncio.create_task(running.load.post_until(stop, per_second=RATE))
        await running.wait_for_progress()
        for disturb in (kill_one_of_each, freeze_one_of_each, restart_all):
            began = time.perf_counter()
            await disturb(running)
            sys.stderr.write(f"{disturb.__name__}: {time.perf_counter() - began:.1f} s\n")  # shown if the test fails
        stop.set()
        await posting
        await wait_until_at_rest(running)
        records = await read_record(running)
        sys.stderr.write(f"{len(running.load.posted)} referrals, repeated: {dict(running.load.retries)}\n")

        assert running.load.refusals == {}
        placed_and_ordered = {package: ["PackagePlaced", _ORDERED] for package in running.load.posted}
        assert find_outcomes(records) == placed_and_ordered
        requests = [json.loads(line) for line in home.webhook_log.read_bytes().splitlines()]
        evidence = Evidence(records, requests, read_rules(FRAMEWORK_FILES), now=datetime.now(UTC))
        assert find_violations(evidence) == []
        assert find_webhook_faults(running.load.received, records) == []
        assert await find_unpublished(running, records) == []
        await verify_audit(running, records=len(remove_repeats(records)))
        outages = [await fetch_number(running, service, "SELECT count(*) FROM outages") for service in SERVICES]
        assert sum(outages) == 0, "no replica took the work of another for an outage"
