"""Two councils in one stack: with the tokens of one, nothing of the other can be read or changed.

Every GET route of the services' OpenAPI is called with every identity of one council and the ids of the other one.
Parked keys, unreadable records and metrics belong to whoever operates the installation; none is parked here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from contracts.catalogue import TOPICS
from devstack.home import Home
from devstack.issuer.identities import find_identity, make_client_id
from devstack.issuer.tokens import TokenIssuer
from devstack.keys import StackKeys
from devstack.names import REFERRAL
from devstack.record import StackRecord
from testkit.council_traces import (
    Attempt,
    CouncilTraces,
    collect_traces,
    list_clients,
    list_reads,
    read_openapi,
)
from testkit.council_writes import list_writes
from testkit.metrics_pages import fetch_metrics_pages
from testkit.stack_process import StackProcess, connect_client, copy_home, start_stack
from testkit.topics import TopicRecord, read_topic
from testkit.waiting import wait_until

pytestmark = [pytest.mark.servers, pytest.mark.timeout(1200), pytest.mark.xdist_group("end-to-end")]

REFERRALS: Final = 60
FIRST, SECOND = "essex", "oxfordshire"
BOTH: Final = ((FIRST, SECOND), (SECOND, FIRST))
WORK_TIMEOUT: Final = 300
"""Seconds for conditions that take a few seconds on a machine at rest."""
HIDDEN: Final = frozenset({403, 404})
EXPECTED_READS: Final = 40
"""At least so many GET routes are walked; fewer would mean that the walk misses some."""

Json = dict[str, Any]  # what the services answer is compared as it came


@dataclass(frozen=True)
class Reply:
    attempt: Attempt
    status: int
    text: str


@dataclass(frozen=True)
class Crossing:
    """What one council's identities got for requests about the other council."""

    traces: Mapping[str, CouncilTraces]
    reads: Mapping[str, Sequence[Reply]]
    """By the council whose tokens were used."""
    writes: Mapping[str, Sequence[Reply]]
    own_reads: Mapping[str, Sequence[Reply]]
    metrics_pages: Sequence[str]
    records: Sequence[TopicRecord]
    """The record after all requests."""


@dataclass(frozen=True)
class Caller:
    """Sends requests with the tokens of any council."""

    session: aiohttp.ClientSession
    urls: Mapping[str, str]
    issuer: TokenIssuer

    async def send(self, attempt: Attempt) -> Reply:
        token = self.issuer.issue_token(find_identity(attempt.client))
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*"}
        if attempt.method == "GET":
            del headers["If-Match"]
        url = f"{self.urls[attempt.service]}{attempt.path}"
        async with self.session.request(attempt.method, url, json=attempt.body, headers=headers) as response:
            return Reply(attempt, response.status, await response.text())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def crossing(tmp_path_factory: pytest.TempPathFactory, registered_home: Home) -> Crossing:
    home = Home(tmp_path_factory.mktemp("two-councils") / "home")
    await copy_home(registered_home, home)
    async with start_stack(home, "--referrals", str(REFERRALS), "--rate", "6") as stack:
        referrals = {council: await wait_until_placed(stack, council) for council in (FIRST, SECOND)}
        record = StackRecord.load(home)
        traces = await collect_traces(record.kafka, referrals)
        async with aiohttp.ClientSession() as session:
            caller = Caller(session, record.urls, TokenIssuer(record.issuer, StackKeys.load(home)))
            pages = await read_openapi(session, record.urls)
            reads, own_reads, writes = dict[str, list[Reply]](), dict[str, list[Reply]](), dict[str, list[Reply]]()
            for attacker, victim in BOTH:
                clients = list_clients(traces[attacker], and_providers_of=traces[victim])
                reads[attacker] = [await caller.send(each) for each in list_reads(pages, clients, traces[victim])]
                own_reads[attacker] = [await caller.send(each) for each in list_reads(pages, clients, traces[attacker])]
                writes[attacker] = [await caller.send(each) for each in list_writes(traces[attacker], traces[victim])]
        return Crossing(
            traces=traces,
            reads=reads,
            writes=writes,
            own_reads=own_reads,
            metrics_pages=await fetch_metrics_pages(record.urls.values()),
            records=[each for topic in TOPICS for each in await read_topic(record.kafka, topic)],
        )


async def wait_until_placed(stack: StackProcess, council: str) -> list[Json]:
    """Waits until a package of the council is placed, and returns all its referrals."""
    async with connect_client(stack, make_client_id(council, "council"), REFERRAL) as client:

        async def find_placed() -> list[Json] | None:
            items = (await client.get("/v1/referrals", limit="200"))["items"]
            return items if any(each["status"] == "placed" for each in items) else None

        return await wait_until(find_placed, within=WORK_TIMEOUT)


@pytest.mark.parametrize(("attacker", "victim"), BOTH)
def test_no_answer_holds_anything_of_the_other_council(crossing: Crossing, attacker: str, victim: str) -> None:
    traces = crossing.traces[victim]
    leaks = [
        f"{reply.attempt.client} {reply.attempt.path}: {found[:3]}"
        for reply in crossing.reads[attacker]
        if (found := traces.find(reply.text, besides=reply.attempt.path))
    ]
    assert leaks == []
    assert len({reply.attempt.path for reply in crossing.reads[attacker]}) > EXPECTED_READS


@pytest.mark.parametrize(("attacker", "victim"), BOTH)
def test_what_the_other_council_has_looks_as_if_it_did_not_exist(
    crossing: Crossing, attacker: str, victim: str
) -> None:
    ids = [word for values in crossing.traces[victim].parameters.values() for word in values]
    shown = [
        f"{reply.status} {reply.attempt.client} {reply.attempt.path}"
        for reply in crossing.reads[attacker]
        if any(word in reply.attempt.path.partition("?")[0].split("/") for word in ids if len(word) > 20)
        and reply.status not in HIDDEN
    ]
    assert shown == []


@pytest.mark.parametrize("council", [FIRST, SECOND])
def test_the_same_routes_show_a_council_its_own(crossing: Crossing, council: str) -> None:
    """Without this, a walk in which every request fails would pass."""
    shown = {
        reply.attempt.path
        for reply in crossing.own_reads[council]
        if reply.status == 200 and crossing.traces[council].find(reply.text, besides="")
    }
    assert len(shown) > EXPECTED_READS / 2


@pytest.mark.parametrize("attacker", [FIRST, SECOND])
def test_no_request_changes_anything_of_the_other_council(crossing: Crossing, attacker: str) -> None:
    accepted = [
        f"{reply.status} {reply.attempt.client} {reply.attempt.method} {reply.attempt.path}: {reply.text[:200]}"
        for reply in crossing.writes[attacker]
        if reply.status not in HIDDEN
    ]
    assert accepted == []


def test_nobody_of_one_council_acts_on_the_other_ones_record(crossing: Crossing) -> None:
    """People and systems of the second council have its key in their subject, those of the first one have not."""
    acts = {
        (record.get_header("ce_council"), SECOND in record.get_header("ce_actor"))
        for record in crossing.records
        if record.get_header("ce_actor").partition(":")[0] in {"officer", "system"}
    }
    assert acts == {(FIRST, False), (SECOND, True)}


def test_metrics_pages_name_nobody_and_nothing(crossing: Crossing) -> None:
    found = [
        word
        for page in crossing.metrics_pages
        for traces in crossing.traces.values()
        for word in traces.find(page, besides="")
        if word not in traces.parameters["framework"]
    ]
    assert found == []
