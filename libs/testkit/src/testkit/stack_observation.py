"""What a stack with several councils shows to the outside: records, webhooks, answers, referrals and work lists."""

import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from contracts.catalogue import TOPICS
from devstack.councils import list_framework_files
from devstack.issuer.identities import make_client_id
from devstack.names import REFERRAL, SOURCING
from devstack.record import StackRecord
from judge import PACKAGES, Evidence, find_faults, find_violations
from judge.events import group_by_key
from judge.outcomes import is_open
from judge.rules import read_rules
from service_runtime.clock import SystemClock
from testkit.stack_process import Json, StackClient, StackProcess, connect_client
from testkit.topics import TopicRecord, read_topic


async def list_referrals(council: StackClient) -> list[Json]:
    return (await council.get("/v1/referrals", limit="200"))["items"]


@dataclass(frozen=True)
class Observation:
    """What a stack shows to the outside at one moment: records, webhooks, answers and referrals."""

    evidence: Evidence
    answers: Sequence[Json]
    referrals: Sequence[Json]

    @property
    def records(self) -> Sequence[TopicRecord]:
        return self.evidence.records

    def find_violations(self) -> list[str]:
        faults = find_faults(self.evidence.records, self.evidence.webhook_requests, self.answers, self.referrals)
        return sorted({*find_violations(self.evidence), *faults})


@dataclass(frozen=True)
class CouncilClients:
    """The clients of one council: its system and its officer."""

    key: str
    system: StackClient
    officer: StackClient


@asynccontextmanager
async def connect_council(stack: StackProcess, key: str) -> AsyncGenerator[CouncilClients]:
    async with (
        connect_client(stack, make_client_id(key, "council"), REFERRAL) as system,
        connect_client(stack, make_client_id(key, "officer"), SOURCING) as officer,
    ):
        yield CouncilClients(key, system, officer)


async def observe(stack: StackProcess, *councils: CouncilClients) -> Observation:
    kafka = StackRecord.load(stack.home).kafka
    records = [record for topic in TOPICS for record in await read_topic(kafka, topic)]
    open_packages = {key for key, story in group_by_key(records, PACKAGES).items() if is_open(story)}
    owners = {each.key: each.get_header("ce_council") for each in records if each.key in open_packages}
    work_lists = [await each.officer.get("/v1/work-list", limit="200") for each in councils]
    officers = {each.key: each.officer for each in councils}
    evidence = Evidence(
        records=records,
        webhook_requests=read_lines(stack.home.webhook_log),
        rules=read_rules(list_framework_files()),
        now=SystemClock().now(),
        work_list=frozenset(item["package_id"] for listed in work_lists for item in listed["items"]),
        statuses={
            key: (await officers[owner].get(f"/v1/packages/{key}/decision"))["status"] for key, owner in owners.items()
        },
    )
    referrals = [referral for each in councils for referral in await list_referrals(each.system)]
    return Observation(evidence, read_lines(stack.home.answer_log), referrals)


def read_lines(log: Path) -> list[Json]:
    return [json.loads(line) for line in log.read_bytes().splitlines()]


async def observe_at_rest(stack: StackProcess, *councils: CouncilClients) -> Observation:
    """Observes again while there are violations: an observation can fall between two events; a real fault stays."""
    observation, deadline = await observe(stack, *councils), time.monotonic() + 60
    while observation.find_violations() and time.monotonic() < deadline:
        observation = await observe(stack, *councils)
    return observation
