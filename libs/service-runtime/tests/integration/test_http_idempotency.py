"""Commands over HTTP: answered after their commit, once per Idempotency-Key, one at a time for each subject."""

import asyncio
from uuid import UUID

from service_runtime.postgres.database import Database
from service_runtime.unit_of_work import streams
from testkit.databases import fetch_number, fetch_rows
from testkit.http_edge import PLANTED, SCOPE, EdgeClient, build_body
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork, to_stream_key


async def test_a_command_is_answered_after_its_commit(client: EdgeClient, database: Database) -> None:
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=build_body(times=2))
    assert (status, content["times"]) == (201, 2)
    actors = await fetch_rows(database, "SELECT DISTINCT actor FROM journal")
    assert [row.actor for row in actors] == ["system:system-1"]


async def test_concurrent_requests_with_one_key_have_one_effect_and_one_response(
    client: EdgeClient, database: Database
) -> None:
    body, key = build_body(), {"Idempotency-Key": PLANTED}
    answers = await asyncio.gather(
        *(client.request("POST", "/v1/withdrawals", body=body, headers=key) for _ in range(8))
    )
    assert {status for status, _, _ in answers} == {201}
    assert len({content["answer"] for _, content, _ in answers}) == 1
    assert await fetch_number(database, "SELECT count(*) FROM journal") == 1
    rows = await fetch_rows(database, "SELECT idempotency_keys::text FROM idempotency_keys")
    assert PLANTED not in str(rows), "the key is the caller's own text"


async def test_the_same_key_with_another_body_is_refused(client: EdgeClient) -> None:
    key = {"Idempotency-Key": "key-1"}
    await client.request("POST", "/v1/withdrawals", body=build_body(), headers=key)
    status, content, _ = await client.request("POST", "/v1/withdrawals", body=build_body(), headers=key)
    assert (status, content["title"]) == (422, "Idempotency key reused")


async def test_the_same_key_of_another_caller_is_another_key(client: EdgeClient) -> None:
    key = {"Idempotency-Key": "key-1"}
    await client.request("POST", "/v1/withdrawals", body=build_body(), headers=key)
    other = client.issuer.issue_token(SCOPE, subject="system-2")
    status, _, _ = await client.request("POST", "/v1/withdrawals", body=build_body(), headers=key, token=other)
    assert status == 201


async def test_a_request_behind_a_slow_one_of_its_subject_gets_409_with_retry_after(
    client: EdgeClient, database: Database
) -> None:
    body = build_body()
    sample = SampleService("sample", database, NO_KAFKA)
    sample.executor = client.app.state.executor
    held, may_end = asyncio.Event(), asyncio.Event()

    async def hold(_: SampleUnitOfWork) -> None:
        held.set()
        await may_end.wait()

    holding = asyncio.create_task(sample.execute(UUID(str(body["package_id"])), hold))
    await held.wait()
    status, _, headers = await client.request("POST", "/v1/withdrawals", body=body)
    may_end.set()
    await holding
    assert (status, headers["Retry-After"]) == (409, "1")


async def test_a_request_whose_stream_is_locked_in_the_database_gets_409_with_retry_after(
    client: EdgeClient, database: Database
) -> None:
    body = build_body()
    async with database.begin_transaction() as connection:
        await streams.lock_stream(connection, to_stream_key(UUID(str(body["package_id"]))))
        status, _, headers = await client.request("POST", "/v1/withdrawals", body=body)
    assert (status, headers["Retry-After"]) == (409, "1")


async def test_a_recorded_refusal_is_409_each_time_and_recorded_once(client: EdgeClient, database: Database) -> None:
    body, key = build_body(), {"Idempotency-Key": "late"}
    first, again = [await client.request("POST", "/v1/late-withdrawals", body=body, headers=key) for _ in range(2)]
    assert first[0] == again[0] == 409
    assert first[1] == again[1]
    assert await fetch_number(database, "SELECT count(*) FROM journal") == 1
