"""Failing endpoints in PostgreSQL: marked by a webhook that was given up, and judged by the attempts since then."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.endpoint_health import CHECK_ENDPOINT, EndpointHealth, FailureTerms
from service_runtime.webhooks.endpoint_health_table import EndpointHealthTable
from testkit.clocks import MONDAY_NINE
from testkit.webhook_receiver import answer_with
from testkit.webhooks import GRACE, TOPIC, WebhookHarness

TERMS = FailureTerms("homecare.providers.v1")
SECOND = timedelta(seconds=1)


async def load_health(harness: WebhookHarness, owner: str = "Alder") -> EndpointHealth | None:
    async def load(work: PostgresUnitOfWork) -> EndpointHealth | None:
        return await EndpointHealthTable(work).load(owner)

    health = await harness.execute(load)
    assert health is None or isinstance(health, EndpointHealth)
    return health


async def give_up(harness: WebhookHarness, subject: str, *, to: str = "Alder") -> None:
    """Queues a webhook on a stream of its own and waits until it is given up."""
    attempts = await harness.count_attempts(to)
    await harness.queue_webhooks(subject, to=to, stream=StreamKey(TOPIC, subject))
    await harness.wait_until_attempted(attempts + 1, to)
    harness.clock.advance(GRACE + SECOND)
    await harness.wait_until_stored(f"{subject}: status 500")


async def deliver(harness: WebhookHarness, subject: str, *, to: str) -> None:
    await harness.queue_webhooks(subject, to=to, stream=StreamKey(TOPIC, subject))
    await harness.wait_until_stored(f"{to} has {subject}")


@pytest.fixture
def failing(harness: WebhookHarness) -> WebhookHarness:
    """Requests to /broken fail, others are accepted."""
    harness.receiver.answers["/broken"] = answer_with(500)
    return harness


async def test_a_webhook_that_is_given_up_marks_its_endpoint_and_arms_one_check(failing: WebhookHarness) -> None:
    await failing.put_endpoint("Alder", "/broken")
    async with failing.run_engine(failure_terms=TERMS):
        await give_up(failing, "O-1")
        await give_up(failing, "O-2")
    health = await load_health(failing)
    assert health is not None
    assert (health.failing_since, health.has_succeeded, health.others_fail_too) == (MONDAY_NINE, False, False)
    assert [(each.status, each.failure) for each in health.answers] == [(500, "status 500")] * 2
    async with failing.database.begin_transaction() as connection:
        armed = (await connection.execute(text("SELECT topic, key, kind, about, due_at FROM timers"))).all()
    assert [tuple(each) for each in armed] == [
        (TERMS.topic, "Alder", CHECK_ENDPOINT, "Alder", MONDAY_NINE + TERMS.notice_after)
    ]


async def test_a_success_since_then_is_seen_and_putting_the_endpoint_again_clears_the_mark(
    failing: WebhookHarness,
) -> None:
    await failing.put_endpoint("Alder", "/broken")
    async with failing.run_engine(failure_terms=TERMS):
        await give_up(failing, "O-1")
        failing.receiver.answers.clear()
        await deliver(failing, "O-2", to="Alder")
    health = await load_health(failing)
    assert health is not None
    assert health.has_succeeded
    await failing.put_endpoint("Alder")
    assert await load_health(failing) is None


async def test_while_several_endpoints_fail_and_none_accepts_anything_the_fault_is_ours(
    failing: WebhookHarness,
) -> None:
    for owner in ("Alder", "Birch", "Cedar"):
        await failing.put_endpoint(owner, "/broken")
    await failing.put_endpoint("Damson")
    async with failing.run_engine(failure_terms=TERMS):
        for number, owner in enumerate(("Alder", "Birch", "Cedar")):
            await give_up(failing, f"O-{number}", to=owner)
        health = await load_health(failing)
        assert health is not None
        assert health.others_fail_too
        await deliver(failing, "O-9", to="Damson")
    health = await load_health(failing)
    assert health is not None
    assert not health.others_fail_too


async def test_a_disabled_endpoint_and_a_missing_one_are_not_marked(failing: WebhookHarness) -> None:
    await failing.put_endpoint("Alder")

    async def disable(work: PostgresUnitOfWork) -> bool:
        return await failing.build_config().open_endpoints(work).disable("Alder", because="test")

    await failing.execute(disable)
    async with failing.run_engine(failure_terms=TERMS):
        for owner in ("Alder", "Nobody"):
            await failing.queue_webhooks(owner, to=owner)
        await failing.wait_until_stored("Alder: endpoint disabled")
        await failing.wait_until_stored("Nobody: no endpoint")
    assert await load_health(failing) is None
    async with failing.database.begin_transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM timers"))).scalar_one() == 0
