"""Deadlines of deliveries: a webhook is given up a fixed time after its first attempt."""

from datetime import timedelta

from testkit.clocks import MONDAY_NINE
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers, answer_with
from testkit.webhooks import GRACE, SECOND, WebhookHarness


async def test_at_two_minutes_it_is_given_up(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(500)
    await harness.put_endpoint("Alder")
    harness.clock.advance(timedelta(hours=1))
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
        harness.clock.advance(GRACE - 11 * SECOND)
        await harness.wait_until_attempted(2)
        assert await harness.list_results() == []
        harness.clock.advance(11 * SECOND)
        await harness.wait_until_stored("O-1: status 500")
    assert await harness.get_result_instant() == MONDAY_NINE + timedelta(hours=1)
    assert len(harness.receiver.received) == 2


async def test_two_minutes_count_from_the_first_attempt_not_from_the_queue(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    harness.clock.advance(timedelta(days=1))
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")


async def test_an_answer_at_exactly_two_minutes_is_in_time(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        harness.clock.advance(GRACE)
        gate.opened.set()
        await harness.wait_until_stored("Alder has O-1")
    assert await harness.get_result_instant() == MONDAY_NINE + GRACE


async def test_a_request_that_hangs_at_two_minutes_is_cut(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        harness.clock.advance(GRACE + timedelta(milliseconds=1))
        await harness.wait_until_stored("O-1: timed out")
    assert await harness.get_result_instant() == MONDAY_NINE
