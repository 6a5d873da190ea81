"""Webhook engine: deliveries are signed, ordered, retried, and sent by one process at a time."""

from datetime import timedelta

from aiohttp import web
from standardwebhooks import Webhook as Verifier

from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.config import Limits
from service_runtime.webhooks.deliveries import Webhook
from testkit.clocks import MONDAY_NINE
from testkit.databases import fetch_rows
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers, answer_in_turn, answer_with
from testkit.webhooks import GRACE, PACKAGE_STREAM, SECOND, TOPIC, WebhookHarness


async def test_a_webhook_arrives_signed_and_its_delivery_is_performed(harness: WebhookHarness) -> None:
    secret = await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")
    [received] = harness.receiver.received
    payload = Verifier(secret).verify(received.body, received.headers)
    assert payload == {"type": "offer.made", "timestamp": MONDAY_NINE.isoformat(), "data": {"about": "O-1"}}
    assert received.headers["content-type"] == "application/json"


async def test_what_failed_is_tried_again_with_the_same_id_and_bytes_until_it_is_accepted(
    harness: WebhookHarness,
) -> None:
    harness.receiver.answers["/ok"] = answer_in_turn(500, 503, 200)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        for times in (1, 2):
            await harness.wait_until_attempted(times)
            harness.clock.advance(5 * SECOND)
        await harness.wait_until_stored("Alder has O-1")
    assert len(harness.receiver.received) == 3
    assert len({(each.id, each.body) for each in harness.receiver.received}) == 1
    [logged] = await harness.load_log()
    assert [each.status for each in logged.attempts] == [500, 503, 200]
    assert [each.failure for each in logged.attempts] == ["status 500", "status 503", None]
    assert await harness.get_result_instant() == MONDAY_NINE + 10 * SECOND


async def test_one_owners_webhooks_about_one_package_arrive_in_order(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_in_turn(500, 200, 500, 200)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1", "O-2")
    await harness.queue_webhooks("O-3", kind="offer.withdrawn")
    async with harness.run_engine(), harness.run_engine(in_other_process=True):
        for accepted, tried in ((1, 1), (2, 3)):
            await harness.wait_until_attempted(tried)
            harness.clock.advance(SECOND)
            await wait_until(lambda expected=accepted: len(harness.receiver.accepted) >= expected)
        await wait_until(lambda: len(harness.receiver.accepted) == 3)
    assert [each.about for each in harness.receiver.accepted] == ["O-1", "O-2", "O-3"]


async def test_an_endpoint_that_hangs_keeps_nobody_else_waiting(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/hangs"] = HeldAnswers()
    await harness.put_endpoint("Alder", "/hangs")
    await harness.put_endpoint("Birch")
    for number in range(20):
        await harness.queue_webhooks(f"O-{number}", stream=StreamKey(TOPIC, f"P-{number}"))
    async with harness.run_engine(limits=Limits(requests=8, requests_for_each=3, drain=timedelta(0))):
        await wait_until(lambda: gate.waiting == 3)
        await harness.queue_webhooks("B-1", to="Birch", stream=StreamKey(TOPIC, "P-1"))
        await harness.wait_until_stored("Birch has B-1")
        assert gate.waiting == 3


async def test_one_owners_packages_do_not_wait_for_each_other(harness: WebhookHarness) -> None:
    gate = HeldAnswers()

    async def hang_for_one(request: web.Request) -> web.Response:
        return await (gate if b"O-1" in await request.read() else answer_with(200))(request)  # type: ignore[return-value]

    harness.receiver.answers["/ok"] = hang_for_one
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    await harness.queue_webhooks("O-2", stream=StreamKey(TOPIC, "P-18"))
    async with harness.run_engine(limits=Limits(drain=timedelta(0))):
        await harness.wait_until_stored("Alder has O-2")
        assert await harness.list_results() == ["Alder has O-2"]


async def test_retry_after_is_honoured(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(429, Retry_After="40")
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
        assert await harness.get_next_attempt_at() == MONDAY_NINE + 40 * SECOND
        harness.receiver.answers["/ok"] = answer_with(200)
        harness.clock.advance(40 * SECOND)
        await harness.wait_until_stored("Alder has O-1")


async def test_an_owner_without_an_endpoint_is_undeliverable_at_once(harness: WebhookHarness) -> None:
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("O-1: no endpoint")
    assert await harness.get_result_instant() is None
    assert await harness.count_attempts() == 0


async def test_what_was_withdrawn_before_it_was_sent_is_never_sent(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1", "O-2")
    assert await harness.cancel_webhook("O-1")
    assert not await harness.cancel_webhook("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-2")
    assert [each.about for each in harness.receiver.received] == ["O-2"]
    assert {(each.about, each.outcome) for each in await harness.load_log()} == {
        ("O-1", "cancelled"),
        ("O-2", "delivered"),
    }


async def test_what_was_sent_and_withdrawn_in_one_unit_of_work_is_never_sent(harness: WebhookHarness) -> None:
    async def send_and_cancel(work: PostgresUnitOfWork) -> bool:
        work.send_webhooks(Webhook("Alder", "offer.made", "O-1", {"about": "O-1"}, GRACE))
        return await work.cancel_webhook("offer.made", "O-1")

    assert await harness.execute(send_and_cancel) is True
    assert await harness.load_log() == []


async def test_what_was_attempted_cannot_be_recalled(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        assert not await harness.cancel_webhook("O-1")
        gate.opened.set()
        await harness.wait_until_stored("Alder has O-1")


async def test_the_log_is_read_by_owner_and_by_package_and_holds_no_bodies(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    await harness.put_endpoint("Birch")
    await harness.queue_webhooks("O-1")
    await harness.queue_webhooks("O-2", to="Birch")
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")
        await harness.wait_until_stored("Birch has O-2")
    assert [each.about for each in await harness.load_log("Alder")] == ["O-1"]
    both = await harness.load_log(PACKAGE_STREAM)
    assert [each.about for each in both] == ["O-2", "O-1"]
    assert all(each.attempts[0].status == 200 for each in both)
    assert "data" not in repr(both)


async def test_a_webhook_that_is_optional_is_not_queued_without_an_endpoint(harness: WebhookHarness) -> None:
    async def queue_optional(work: PostgresUnitOfWork) -> None:
        work.send_webhooks(
            *(
                Webhook(owner, "news", owner, {}, GRACE, only_with_endpoint=True)
                for owner in ("Nobody", "Disabled", "Alder")
            )
        )

    async def disable(work: PostgresUnitOfWork) -> None:
        await harness.build_config().open_endpoints(work).disable("Disabled", because="by officer")

    await harness.put_endpoint("Alder")
    await harness.put_endpoint("Disabled")
    await harness.execute(disable)
    await harness.execute(queue_optional)
    queued = {
        owner: [each.about for each in await harness.load_log(owner)] for owner in ("Nobody", "Disabled", "Alder")
    }
    assert queued == {"Nobody": [], "Disabled": ["Disabled"], "Alder": ["Alder"]}


async def test_a_webhook_queued_behind_one_that_is_being_sent_waits_for_it(harness: WebhookHarness) -> None:
    """It is not claimed as it is queued, unlike the one about another package."""
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await harness.queue_webhooks("O-1")
        await wait_until(lambda: gate.waiting == 1)
        await harness.queue_webhooks("O-2")
        await harness.queue_webhooks("O-3", stream=StreamKey(TOPIC, "P-18"))
        await wait_until(lambda: gate.waiting == 2)
        assert [received.about for received in harness.receiver.received] == ["O-1", "O-3"]
        gate.opened.set()
        await harness.wait_until_stored("Alder has O-2")


async def test_an_endpoint_gets_at_most_four_requests_at_a_time(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/ok"] = HeldAnswers()
    await harness.put_endpoint("Alder")
    await harness.put_endpoint("Birch", "/birch")
    async with harness.run_engine():
        for number in range(6):
            await harness.queue_webhooks(f"O-{number}", stream=StreamKey(TOPIC, f"P-{number}"))
        await harness.queue_webhooks("B-1", to="Birch")
        await harness.wait_until_stored("Birch has B-1")
        assert gate.waiting == 4
        gate.opened.set()
        await harness.wait_until_stored("Alder has O-5")


async def test_a_webhook_whose_request_starts_while_it_is_being_cancelled_is_not_cancelled(
    harness: WebhookHarness,
) -> None:
    cancelled: list[bool] = []

    async def cancel(work: PostgresUnitOfWork) -> None:
        cancelled.append(await work.cancel_webhook("offer.made", "O-1"))
        if len(cancelled) == 1:
            await fetch_rows(harness.database, "UPDATE deliveries SET attempts = 1, first_attempt_at = queued_at")

    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    await harness.execute(cancel)
    assert cancelled == [True, False]
    assert [delivery.outcome for delivery in await harness.load_log()] == [None]
