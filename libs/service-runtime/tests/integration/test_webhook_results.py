"""Results of deliveries: each is handled once, and kept while its key is parked."""

from datetime import timedelta

from sqlalchemy import text

from service_runtime.postgres.errors import is_transient
from service_runtime.unit_of_work.streams import StreamKey
from testkit.clocks import MONDAY_NINE
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers
from testkit.webhooks import PACKAGE_STREAM, TOPIC, WebhookHarness


async def test_a_2xx_for_a_parked_package_is_kept_and_handed_over_when_it_is_released(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    await harness.park_key()
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
        harness.clock.advance(timedelta(hours=1))
        await harness.unpark_key()
        await harness.wait_until_stored("Alder has O-1")
    assert len(harness.receiver.received) == 1
    assert await harness.get_result_instant() == MONDAY_NINE


async def test_a_result_that_cannot_be_performed_parks_its_package_and_is_not_lost(harness: WebhookHarness) -> None:
    harness.is_failing = True
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")

    def is_counted() -> bool:
        return harness.metrics.registry.get_sample_value("calloff_parked_events_total", {"by": "webhook"}) == 1

    async with harness.run_engine():
        await wait_until(is_counted)
        assert await harness.is_parked(PACKAGE_STREAM.key)
        harness.is_failing = False
        await harness.unpark_key()
        await harness.wait_until_stored("Alder has O-1")
    assert len(harness.receiver.received) == 1


async def test_a_kind_that_nobody_follows_is_simply_finished(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1", kind="offer.withdrawn")

    async def is_finished() -> bool:
        return [each.outcome for each in await harness.load_log()] == ["delivered"]

    async with harness.run_engine():
        await wait_until(is_finished)
    assert await harness.list_results() == []


async def test_a_result_that_fails_costs_those_beside_it_nothing(harness: WebhookHarness) -> None:
    owners = ["Poison", *(f"Owner {number}" for number in range(8))]
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    for owner in owners:
        await harness.put_endpoint(owner)
        await harness.queue_webhooks(f"O-{owner}", to=owner, stream=StreamKey(TOPIC, f"P-{owner}"))
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == len(owners))
        gate.opened.set()
        await wait_until(lambda: harness.has_results(len(owners) - 1))
        await wait_until(lambda: harness.is_parked("P-Poison"))
    assert await harness.list_results() == sorted(f"{owner} has O-{owner}" for owner in owners[1:])


async def test_a_database_that_goes_away_for_a_moment_loses_no_answer(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    cut = text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
               "AND pid <> pg_backend_pid()")  # fmt: skip

    async def is_result_stored() -> bool:
        try:
            return await harness.list_results() == ["Alder has O-1"]
        except Exception as error:  # our own connections were cut as well
            if is_transient(error):
                return False
            raise

    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        async with harness.database.begin_transaction() as connection:
            await connection.execute(cut)
        gate.opened.set()
        await wait_until(is_result_stored)
    assert len(harness.receiver.received) == 1
