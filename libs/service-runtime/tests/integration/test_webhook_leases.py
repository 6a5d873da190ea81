"""Leases of deliveries: a process that dies or loses its lease neither loses nor repeats a result."""

import asyncio
from datetime import timedelta
from itertools import count

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.webhooks.config import Limits
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers, answer_with
from testkit.webhooks import LEASE, TOPIC, WebhookHarness


async def test_what_a_dead_process_was_sending_is_sent_again_with_the_same_id(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(in_other_process=True, limits=Limits(drain=timedelta(0))):
        await wait_until(lambda: gate.waiting == 1)
    harness.receiver.answers["/ok"] = answer_with(200)
    async with harness.run_engine():
        assert await harness.list_results() == []
        harness.clock.advance(LEASE)
        await harness.wait_until_stored("Alder has O-1")
    first, second = harness.receiver.received
    assert first.id == second.id


async def test_an_engine_that_is_stopped_lets_its_requests_finish(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        asyncio.get_running_loop().call_later(0.1, gate.opened.set)
    assert await harness.list_results() == ["Alder has O-1"]


async def test_a_2xx_counts_after_the_lease_was_lost_and_the_other_ones_failure_does_not(
    harness: WebhookHarness,
) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(in_other_process=True):
        await wait_until(lambda: gate.waiting == 1)
        second = harness.receiver.answers["/ok"] = HeldAnswers(500)
        harness.clock.advance(LEASE)
        async with harness.run_engine():
            await wait_until(lambda: second.waiting == 1)
            gate.opened.set()
            await harness.wait_until_stored("Alder has O-1")
            second.opened.set()
            await harness.wait_until_attempted(2)
    [logged] = await harness.load_log()
    assert logged.outcome == "delivered"
    assert await harness.list_results() == ["Alder has O-1"]


async def test_a_failure_after_the_lease_was_lost_changes_nothing(harness: WebhookHarness) -> None:
    late = harness.receiver.answers["/ok"] = HeldAnswers(410)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(in_other_process=True):
        await wait_until(lambda: late.waiting == 1)
        second = harness.receiver.answers["/ok"] = HeldAnswers()
        harness.clock.advance(LEASE)
        async with harness.run_engine():
            await wait_until(lambda: second.waiting == 1)
            late.opened.set()
            await harness.wait_until_attempted(1)
            second.opened.set()
            await harness.wait_until_stored("Alder has O-1")
    assert await harness.list_results() == ["Alder has O-1"]
    endpoint = await harness.load_endpoint()
    assert endpoint is not None
    assert endpoint.disabled_because is None


async def test_two_engines_send_everything_and_perform_nothing_twice(harness: WebhookHarness) -> None:
    owners = [f"owner-{number}" for number in range(8)]
    for owner in owners:
        await harness.put_endpoint(owner)
    packages = [StreamKey(TOPIC, f"P-{number}") for number in range(6)]
    names = count()
    for package in packages:
        for owner in owners:
            await harness.queue_webhooks(f"O-{next(names)}", f"O-{next(names)}", to=owner, stream=package)

    async def are_all_handled() -> bool:
        return len(await harness.list_results()) == 96

    async with (
        harness.run_engine(),
        harness.run_engine(in_other_process=True),
        harness.run_engine(in_other_process=True),
    ):
        await wait_until(are_all_handled)
    assert sorted(each.about for each in harness.receiver.received) == sorted(f"O-{number}" for number in range(96))
