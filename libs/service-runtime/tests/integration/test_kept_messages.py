"""Messages that did not arrive: kept with their content, listed, acknowledged, sent again, and erased in time."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from standardwebhooks import Webhook as Verifier

from contracts.errors import CallOffError, InvalidInput
from service_runtime.observability.logs import build_logger
from service_runtime.unit_of_work.streams import StreamKey
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.endpoints import EndpointNotFound
from service_runtime.webhooks.kept_messages import KeptMessage, list_kept_messages
from service_runtime.webhooks.message_commands import (
    AcknowledgeMessages,
    EndpointIsDisabled,
    MessageNotFound,
    MessageNotReplayable,
    ReplayedMessages,
    ReplayMessage,
    ReplayMessages,
    acknowledge_messages,
    replay_message,
    replay_messages,
)
from service_runtime.webhooks.retention import BodyEraser
from testkit.clocks import MONDAY_NINE
from testkit.waiting import wait_until
from testkit.webhook_receiver import answer_with
from testkit.webhooks import GRACE, TOPIC, WebhookHarness

OWNER_STREAM = StreamKey("homecare.providers.v1", "Alder")
OTHER_PACKAGE = StreamKey(TOPIC, "P-18")


async def list_messages(harness: WebhookHarness, owner: str = "Alder", after: UUID | None = None) -> list[KeptMessage]:
    async with harness.database.open_read_connection() as connection:
        return await list_kept_messages(connection, owner, after=after, limit=10)


async def execute(harness: WebhookHarness, handle: Callable[[PostgresUnitOfWork], Awaitable[object]]) -> object:
    return await harness.execute(handle, stream=OWNER_STREAM)


async def replay_all(harness: WebhookHarness) -> ReplayedMessages:
    result = await execute(harness, lambda work: replay_messages(ReplayMessages("Alder", MONDAY_NINE), work))
    assert isinstance(result, ReplayedMessages)
    return result


async def disable_endpoint(harness: WebhookHarness) -> None:
    await execute(harness, lambda work: harness.build_config().open_endpoints(work).disable("Alder", because="test"))


async def fail_webhooks(harness: WebhookHarness, *subjects: str) -> None:
    """Queues webhooks to a disabled endpoint and waits until they are given up."""
    await disable_endpoint(harness)
    await harness.queue_webhooks(*subjects)
    for subject in subjects:
        await harness.wait_until_stored(f"{subject}: endpoint disabled")


async def test_what_a_disabled_endpoint_misses_is_kept_in_order_with_its_content(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1", "O-2")
        kept = await list_messages(harness)
    assert [each.about for each in kept] == ["O-1", "O-2"]
    assert [json.loads(each.body)["data"] for each in kept] == [{"about": "O-1"}, {"about": "O-2"}]
    assert await list_messages(harness, after=kept[0].id) == [kept[1]]
    assert await list_messages(harness, "Birch") == []


async def test_after_enabling_messages_are_sent_again_with_the_same_id_and_body_signed_anew(
    harness: WebhookHarness,
) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1", "O-2", "O-3")
        kept = await list_messages(harness)
        await harness.put_endpoint("Alder")
        secret = await harness.rotate_secret("Alder", overlap=timedelta(0))
        assert await replay_all(harness) == ReplayedMessages(3, has_more=False)
        harness.clock.advance(timedelta(seconds=1))
        await wait_until(lambda: len(harness.receiver.accepted) == 3)
    assert [(each.id, each.body) for each in harness.receiver.accepted] == [(each.id, each.body) for each in kept]
    for each in harness.receiver.accepted:
        Verifier(secret).verify(each.body, each.headers)


async def test_a_message_that_arrives_when_sent_again_has_no_second_result(harness: WebhookHarness) -> None:
    """The first result said that it did not arrive; a second one would restart what followed from it."""
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1")
        await harness.put_endpoint("Alder")
        await replay_all(harness)
        await wait_until(lambda: len(harness.receiver.accepted) == 1)
        await harness.queue_webhooks("O-2")
        await harness.wait_until_stored("Alder has O-2")
    assert await harness.list_results() == ["Alder has O-2", "O-1: endpoint disabled"]
    assert await list_messages(harness) == []


async def test_a_message_that_fails_again_is_kept_again_and_holds_its_package_for_two_minutes_at_most(
    harness: WebhookHarness,
) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1")
        harness.receiver.answers["/ok"] = answer_with(500)
        await harness.put_endpoint("Alder")
        await replay_all(harness)
        await wait_until(lambda: len(harness.receiver.received) == 1)
        harness.receiver.answers.clear()
        await harness.queue_webhooks("O-2")
        harness.clock.advance(GRACE + timedelta(seconds=1))
        await harness.wait_until_stored("Alder has O-2")
    assert [each.failure for each in await list_messages(harness)] == ["status 500"]


async def test_one_message_is_sent_again_though_it_arrived(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await harness.queue_webhooks("O-1")
        await harness.wait_until_stored("Alder has O-1")
        (first,) = harness.receiver.accepted
        await execute(harness, lambda work: replay_message(ReplayMessage("Alder", first.id), work))
        await wait_until(lambda: len(harness.receiver.accepted) == 2)
    assert harness.receiver.accepted[1].id == first.id


async def test_an_acknowledged_message_is_not_listed_and_not_among_those_sent_again(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1", "O-2")
    first, second = await list_messages(harness)
    for _ in range(2):
        await execute(harness, lambda work: acknowledge_messages(AcknowledgeMessages("Alder", (first.id,)), work))
    assert await list_messages(harness) == [second]
    await harness.put_endpoint("Alder")
    assert await replay_all(harness) == ReplayedMessages(1, has_more=False)


async def test_an_id_that_is_no_undelivered_message_of_the_owner_is_named(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1")
    (message,) = await list_messages(harness)
    for owner, ids, pointers in (
        ("Alder", (message.id, uuid4()), ["#/webhook_ids/1"]),
        ("Birch", (message.id,), ["#/webhook_ids/0"]),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await execute(harness, lambda work: acknowledge_messages(AcknowledgeMessages(owner, ids), work))  # noqa: B023  awaited at once
        assert [field.pointer for field in refusal.value.fields] == pointers


async def test_what_cannot_be_sent_again_is_refused_in_words(harness: WebhookHarness) -> None:
    async def refuse(owner: str, webhook_id: UUID) -> type[CallOffError]:
        with pytest.raises(CallOffError) as refusal:
            await execute(harness, lambda work: replay_message(ReplayMessage(owner, webhook_id), work))
        return refusal.type

    await harness.put_endpoint("Alder")
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1")
    (message,) = await list_messages(harness)
    assert await refuse("Alder", message.id) is EndpointIsDisabled
    assert await refuse("Birch", message.id) is MessageNotFound
    await harness.put_endpoint("Alder")
    await replay_all(harness)
    assert await refuse("Alder", message.id) is MessageNotReplayable
    with pytest.raises(EndpointNotFound):
        await execute(harness, lambda work: replay_messages(ReplayMessages("Birch", MONDAY_NINE), work))


async def test_the_content_of_a_finished_message_is_erased_in_time_and_its_log_stays(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    eraser = BodyEraser(harness.database, harness.clock, timedelta(days=30), log=build_logger("test", level="error"))
    async with harness.run_engine():
        await fail_webhooks(harness, "O-1")
    await harness.queue_webhooks("O-2", stream=OTHER_PACKAGE)
    assert await eraser.erase_due() == 0
    harness.clock.advance(timedelta(days=30, seconds=1))
    assert await eraser.erase_due() == 1
    assert await list_messages(harness) == []
    assert [each.about for each in await harness.load_log()] == ["O-2", "O-1"]
