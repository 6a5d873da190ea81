"""Idempotency keys: a repeated command has one effect and one response."""

import asyncio
import secrets
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from opentelemetry.trace import INVALID_SPAN

from contracts.events.packages import WithdrawalRequested
from contracts.examples import an_example_of
from contracts.ids import PackageId
from service_runtime.idempotency import CommandClaim, IdempotencyKeyReused, ReplayedResponse, StoredResponse
from service_runtime.postgres.database import Database
from service_runtime.unit_of_work.claims import Executed
from service_runtime.unit_of_work.streams import Cause
from service_runtime.unit_of_work.turns import TurnTimeout
from testkit.databases import fetch_number
from testkit.sample_service import NO_KAFKA, SampleService, SampleUnitOfWork, to_stream_key


@pytest.fixture
def sample(database: Database) -> SampleService:
    """A sample service without Kafka."""
    return SampleService("sample", database, NO_KAFKA)


def a_command(
    package: UUID,
    *,
    key: str | None = "key-1",
    body: str = "body",
    answer: Callable[[str], StoredResponse] = lambda text: StoredResponse(200, text.encode()),
) -> CommandClaim[str]:
    return CommandClaim[str](
        on=to_stream_key(package),
        why=Cause("command:test", "system:test", "amberside"),
        caller="amberside/system:test",
        idempotency_key=key,
        fingerprint=body,
        answer=answer,
    )


async def test_a_returned_refusal_commits_its_events_and_is_replayed(sample: SampleService) -> None:
    package = uuid4()

    async def refuse(work: SampleUnitOfWork) -> str:
        work.publish(an_example_of(WithdrawalRequested, package_id=package))
        return "too late"

    claim = a_command(package, answer=lambda text: StoredResponse(409, text.encode()))
    assert await sample.executor.execute(claim, refuse, span=INVALID_SPAN) == Executed("too late")
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 1
    with pytest.raises(ReplayedResponse) as replay:
        await sample.executor.execute(claim, refuse, span=INVALID_SPAN)
    assert replay.value.answer == StoredResponse(409, b"too late")


async def test_concurrent_duplicates_of_a_command_run_once_and_get_one_response(sample: SampleService) -> None:
    package = uuid4()

    async def respond(work: SampleUnitOfWork) -> str:
        await work.record_event(PackageId(package))
        return secrets.token_hex(8)

    async def send() -> bytes:
        try:
            done = await sample.executor.execute(a_command(package), respond, span=INVALID_SPAN)
        except ReplayedResponse as replay:
            return replay.answer.body
        assert isinstance(done, Executed)
        return done.result.encode()

    answers = await asyncio.gather(*(send() for _ in range(8)))
    assert len(set(answers)) == 1
    assert await fetch_number(sample.database, "SELECT count(*) FROM handled_events") == 1


async def test_one_key_used_for_two_streams_at_once_runs_once(sample: SampleService) -> None:
    async def respond(_: SampleUnitOfWork) -> str:
        await asyncio.sleep(0.02)
        return "done"

    async def send(package: UUID) -> str:
        try:
            await sample.executor.execute(a_command(package), respond, span=INVALID_SPAN)
        except ReplayedResponse:
            return "replayed"
        return "done"

    assert sorted(await asyncio.gather(send(uuid4()), send(uuid4()))) == ["done", "replayed"]


async def test_a_key_reused_with_another_request_is_refused(sample: SampleService) -> None:
    package = uuid4()

    async def respond(_: SampleUnitOfWork) -> str:
        return "done"

    await sample.executor.execute(a_command(package), respond, span=INVALID_SPAN)
    with pytest.raises(IdempotencyKeyReused):
        await sample.executor.execute(a_command(package, body="other"), respond, span=INVALID_SPAN)


async def test_a_command_without_a_key_runs_each_time(sample: SampleService) -> None:
    package = uuid4()
    await sample.request_withdrawal(package)
    await sample.request_withdrawal(package)
    assert await fetch_number(sample.database, "SELECT count(*) FROM journal") == 2


async def test_a_duplicate_waits_at_most_two_seconds_for_the_first_request(sample: SampleService) -> None:
    package, started, may_end = uuid4(), asyncio.Event(), asyncio.Event()

    async def wait_for_end(_: SampleUnitOfWork) -> str:
        started.set()
        await may_end.wait()
        return "done"

    first = asyncio.create_task(sample.executor.execute(a_command(package), wait_for_end, span=INVALID_SPAN))
    await started.wait()
    with pytest.raises(TurnTimeout):
        await sample.executor.execute(a_command(package), wait_for_end, span=INVALID_SPAN)
    may_end.set()
    assert await first == Executed("done")
