"""What gauges show of the queue of deliveries."""

from datetime import timedelta

from service_runtime.webhooks.queue_measures import count_waiting, measure_overdue
from testkit.webhook_receiver import answer_with
from testkit.webhooks import WebhookHarness


async def measure(harness: WebhookHarness) -> tuple[int, float]:
    async with harness.database.open_read_connection() as connection:
        return await count_waiting(connection), await measure_overdue(connection, harness.clock.now())


async def test_a_webhook_that_nobody_sends_is_overdue_until_it_is_delivered(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    harness.clock.advance(timedelta(seconds=70))
    assert await measure(harness) == (1, 70.0)
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")
    assert await measure(harness) == (0, 0.0)


async def test_a_webhook_that_waits_for_an_earlier_one_is_not_overdue(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(500)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1", "O-2")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
    waiting, overdue = await measure(harness)
    assert (waiting, overdue) == (2, 0.0)
    harness.clock.advance(timedelta(hours=1))
    assert (await measure(harness))[1] > 0
