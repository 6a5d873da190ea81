"""Endpoints: registration, rotation of secrets, disabling, and the answer 410."""

import base64
from datetime import timedelta

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.endpoints import EndpointNotFound
from service_runtime.webhooks.signing import sign
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers, ReceivedWebhook, answer_with
from testkit.webhooks import SECOND, WebhookHarness


async def test_410_disables_the_endpoint_once_and_for_all(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(410)
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("O-1: gone")
        await harness.queue_webhooks("O-2")
        await harness.wait_until_stored("O-2: endpoint disabled")
    endpoint = await harness.load_endpoint()
    assert endpoint is not None
    assert endpoint.disabled_because == "gone"
    assert len(harness.receiver.received) == 1
    async with harness.database.begin_transaction() as connection:
        assert [row.owner for row in await connection.execute(text("SELECT owner FROM gone"))] == ["Alder"]


async def test_410_from_an_old_url_does_not_disable_the_new_one(harness: WebhookHarness) -> None:
    gate = harness.receiver.answers["/old"] = HeldAnswers(410)
    await harness.put_endpoint("Alder", "/old")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await wait_until(lambda: gate.waiting == 1)
        await harness.put_endpoint("Alder", "/new")
        gate.opened.set()
        await harness.wait_until_stored("O-1: gone")
        await harness.queue_webhooks("O-2")
        await harness.wait_until_stored("Alder has O-2")


async def test_while_a_secret_is_rotated_both_are_good_then_only_the_new_one(harness: WebhookHarness) -> None:
    old = await harness.put_endpoint("Alder")

    async def rotate(work: PostgresUnitOfWork) -> str:
        endpoints = harness.build_config().open_endpoints(work)
        return await endpoints.rotate_secret("Alder", overlap=timedelta(days=1))

    new = str(await harness.execute(rotate))
    async with harness.run_engine():
        await harness.queue_webhooks("O-1")
        await harness.wait_until_stored("Alder has O-1")
        harness.clock.advance(timedelta(days=1))
        await harness.queue_webhooks("O-2")
        await harness.wait_until_stored("Alder has O-2")
    during, after = harness.receiver.received
    for secret in (old, new):
        Verifier(secret).verify(during.body, during.headers)
    Verifier(new).verify(after.body, after.headers)
    assert " " not in after.headers["webhook-signature"]


async def receive_one(harness: WebhookHarness, about: str) -> ReceivedWebhook:
    await harness.queue_webhooks(about)
    await harness.wait_until_stored(f"Alder has {about}")
    return harness.receiver.received[-1]


async def test_every_secret_signs_until_its_own_overlap_ends(harness: WebhookHarness) -> None:
    hour = timedelta(hours=1)
    first = await harness.put_endpoint("Alder")
    second = await harness.rotate_secret(overlap=3 * hour)
    harness.clock.advance(hour)
    third = await harness.rotate_secret(overlap=3 * hour)
    async with harness.run_engine():
        with_three = await receive_one(harness, "O-1")
        harness.clock.advance(2 * hour)
        with_two = await receive_one(harness, "O-2")
        harness.clock.advance(hour)
        with_one = await receive_one(harness, "O-3")
    for webhook, secrets in ((with_three, (third, second, first)), (with_two, (third, second)), (with_one, (third,))):
        signatures = webhook.headers["webhook-signature"].split()
        timestamp = int(webhook.headers["webhook-timestamp"])
        assert signatures == [
            sign(webhook.headers["webhook-id"], webhook.body, secret=secret, timestamp=timestamp) for secret in secrets
        ]


async def test_a_leaked_secret_stops_signing_at_once(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    new = await harness.rotate_secret(overlap=timedelta(days=1))

    async def delete(work: PostgresUnitOfWork) -> None:
        await harness.build_config().open_endpoints(work).delete_previous_secrets("Alder")

    await harness.execute(delete)
    async with harness.run_engine():
        webhook = await receive_one(harness, "O-1")
    Verifier(new).verify(webhook.body, webhook.headers)
    assert " " not in webhook.headers["webhook-signature"]


async def test_a_previous_secret_under_a_lost_key_does_not_stop_webhooks(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    new = await harness.rotate_secret(overlap=timedelta(days=1))
    async with harness.database.begin_transaction() as connection:
        await connection.execute(text("UPDATE endpoints SET previous_secret = :lost"), {"lost": b"lost" + b"x" * 60})
    async with harness.run_engine():
        webhook = await receive_one(harness, "O-1")
    Verifier(new).verify(webhook.body, webhook.headers)
    assert await harness.rotate_secret(overlap=timedelta(days=1)) != new


async def test_a_secret_is_shown_once_and_stored_encrypted(harness: WebhookHarness) -> None:
    secret = await harness.put_endpoint("Alder")
    assert secret.startswith("whsec_")
    assert await harness.put_endpoint("Alder", "/moved") == "None"
    assert secret not in repr(await harness.load_endpoint())
    async with harness.database.begin_transaction() as connection:
        stored = (await connection.execute(text("SELECT secret FROM endpoints"))).scalar_one()
    assert secret.encode() not in stored
    assert base64.b64decode(secret.removeprefix("whsec_")) not in stored


async def test_a_disabled_endpoint_gets_nothing_until_it_is_put_again(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")

    async def disable(work: PostgresUnitOfWork) -> bool:
        return await harness.build_config().open_endpoints(work).disable("Alder", because="by officer")

    assert await harness.execute(disable) is True
    assert await harness.execute(disable) is False
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("O-1: endpoint disabled")
        await harness.put_endpoint("Alder")
        await harness.queue_webhooks("O-2")
        await harness.wait_until_stored("Alder has O-2")


async def test_rotating_the_secret_of_nobody_says_so(harness: WebhookHarness) -> None:
    async def rotate(work: PostgresUnitOfWork) -> str:
        return await harness.build_config().open_endpoints(work).rotate_secret("Alder", overlap=SECOND)

    with pytest.raises(EndpointNotFound):
        await harness.execute(rotate)
