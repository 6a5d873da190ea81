"""Bulk release: keys that are parked for one reason are released in one call, in the order of their parking."""

from uuid import UUID, uuid4

import pytest

from contracts.catalogue import PACKAGES
from service_runtime.dead_letters.bulk_release import BulkRelease, ReleaseFilter, group_by_cause
from service_runtime.postgres.database import Database
from testkit.databases import fetch_number, fetch_rows
from testkit.http_edge import EdgeClient
from testkit.journal_records import read_journal_records
from testkit.sample_service import NO_KAFKA, SampleService

BECAUSE = "calloff.WithdrawalRequested.v1 could not be handled: SampleServiceBlocked"
SAME_CAUSE = ReleaseFilter(because=BECAUSE)


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


async def park_keys(sample: SampleService, number: int) -> list[UUID]:
    """Parks keys one after the other, each with two events; nothing blocks them any more afterwards."""
    packages = [uuid4() for _ in range(number)]
    for package in packages:
        await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(package))
        await sample.request_withdrawal(package, count=2)
    records = await read_journal_records(sample.database, PACKAGES)
    for package in packages:
        await sample.event_handler.handle([each for each in records if each.key == str(package).encode()])
    await fetch_rows(sample.database, "DELETE FROM blocked")
    return packages


def list_packages(done: BulkRelease, *, still_parked: bool) -> list[str]:
    return [
        each.key.stream.key
        for each in done.keys
        if each.release is not None and each.release.still_parked is still_parked
    ]


async def test_keys_are_grouped_by_their_cause(sample: SampleService) -> None:
    await park_keys(sample, 3)
    await fetch_rows(
        sample.database, "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('t', 'k', 'x', now())"
    )
    causes = group_by_cause(await sample.dead_letters.list_keys())
    assert [(cause.because, cause.keys, cause.waiting) for cause in causes] == [(BECAUSE, 3, 6), ("x", 1, 0)]
    assert causes[0].event_type == "calloff.WithdrawalRequested.v1"


async def test_a_release_is_bounded_in_order_and_repeatable(sample: SampleService) -> None:
    packages = [str(package) for package in await park_keys(sample, 5)]
    first = await sample.dead_letters.release_all(SAME_CAUSE, limit=2)
    assert (list_packages(first, still_parked=False), first.remaining) == (packages[:2], 3)
    second = await sample.dead_letters.release_all(SAME_CAUSE, limit=10)
    assert (list_packages(second, still_parked=False), second.remaining) == (packages[2:], 0)
    assert await sample.dead_letters.release_all(SAME_CAUSE, limit=10) == BulkRelease([], 0)
    assert await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == 10


async def test_a_key_that_fails_again_stays_parked_and_the_others_are_released(sample: SampleService) -> None:
    first, failing, last = await park_keys(sample, 3)
    await fetch_rows(sample.database, "INSERT INTO blocked (what) VALUES (:what)", what=str(failing))
    done = await sample.dead_letters.release_all(SAME_CAUSE, limit=10)
    assert list_packages(done, still_parked=False) == [str(first), str(last)]
    assert list_packages(done, still_parked=True) == [str(failing)]
    assert (await sample.dead_letters.release_all(SAME_CAUSE, skip=1, limit=10)).keys == []
    await fetch_rows(sample.database, "DELETE FROM blocked")
    assert list_packages(await sample.dead_letters.release_all(SAME_CAUSE, limit=10), still_parked=False)


@pytest.mark.parametrize(
    "other",
    [
        ReleaseFilter(because="another"),
        ReleaseFilter(event_type="calloff.Other.v1"),
        ReleaseFilter(topic="homecare.rates.v1"),
        ReleaseFilter(because=BECAUSE, topic="homecare.rates.v1"),
    ],
)
async def test_keys_that_do_not_match_stay_parked(sample: SampleService, other: ReleaseFilter) -> None:
    await park_keys(sample, 1)
    assert await sample.dead_letters.release_all(other, limit=10) == BulkRelease([], 0)
    assert len(await sample.dead_letters.list_keys()) == 1


async def test_a_dry_run_lists_and_releases_nothing(sample: SampleService) -> None:
    (package,) = await park_keys(sample, 1)
    done = await sample.dead_letters.release_all(ReleaseFilter(topic=PACKAGES), limit=10, dry_run=True)
    assert [(each.key.stream.key, each.release) for each in done.keys] == [(str(package), None)]
    assert len(await sample.dead_letters.list_keys()) == 1


async def test_keys_are_released_over_http(client: EdgeClient, database: Database) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    for key in ("a", "b", "c"):
        await fetch_rows(
            database,
            "INSERT INTO streams (topic, key, parked_because, parked_at) VALUES ('t', :key, 'x', now())",
            key=key,
        )
    _, listed, _ = await client.request("GET", "/v1/parked", token=token)
    assert [(cause["topic"], cause["because"], cause["keys"]) for cause in listed["causes"]] == [("t", "x", 3)]
    path = "/v1/parked/release"
    _, tried, _ = await client.request("POST", path, body={"because": "x", "dry_run": True}, token=token)
    assert [(item["key"], item["still_parked"]) for item in tried["items"]] == [("a", True), ("b", True), ("c", True)]
    status, done, _ = await client.request("POST", path, body={"because": "x", "limit": 2}, token=token)
    assert (status, [item["key"] for item in done["items"]], done["remaining"]) == (200, ["a", "b"], 1)
    assert not any(item["still_parked"] for item in done["items"])


@pytest.mark.parametrize("body", [{}, {"limit": 5}, {"because": "x", "limit": 0}, {"topic": "t", "key": "k"}])
async def test_a_release_without_a_cause_or_with_wrong_fields_is_refused(
    client: EdgeClient, body: dict[str, object]
) -> None:
    token = client.issuer.issue_token("operations:manage", subject="op-1")
    assert (await client.request("POST", "/v1/parked/release", body=body, token=token))[0] == 422
    assert (await client.request("POST", "/v1/parked/release", body={"topic": "t"}))[0] == 403
