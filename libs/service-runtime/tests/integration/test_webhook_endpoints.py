"""Endpoints: registration, rotation of secrets, disabling, and the answer 410."""

import base64
from datetime import timedelta

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook as Verifier

from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.endpoints import EndpointNotFound
from testkit.waiting import wait_until
from testkit.webhook_receiver import HeldAnswers, answer_with
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
