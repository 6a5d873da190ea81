"""Stored secrets are encrypted with a new key by one command, after which the old key can be removed."""

import base64
from datetime import timedelta

from standardwebhooks import Webhook as Verifier

from service_runtime.webhooks.reencryption import Reencryption, count_under_old_keys, reencrypt_secrets
from service_runtime.webhooks.secret_box import SecretBox
from testkit.webhooks import SECRET_BOX, WebhookHarness

OLD_KEY, NEW_KEY = (base64.b64encode(letter * 32).decode() for letter in (b"k", b"n"))
BOTH, NEW = SecretBox([NEW_KEY, OLD_KEY]), SecretBox([NEW_KEY])


async def count_old(harness: WebhookHarness) -> int:
    async with harness.database.open_read_connection() as connection:
        return await count_under_old_keys(connection, BOTH)


async def test_after_re_encryption_webhooks_are_signed_without_the_old_key(harness: WebhookHarness) -> None:
    old = await harness.put_endpoint("Alder")
    secret = await harness.rotate_secret(overlap=timedelta(days=1))
    await harness.put_endpoint("Birch")
    assert await count_old(harness) == 2
    assert await reencrypt_secrets(harness.database, BOTH, dry_run=True) == Reencryption(2, 2, 0)
    assert await count_old(harness) == 2
    assert await reencrypt_secrets(harness.database, BOTH) == Reencryption(2, 2, 0)
    assert await reencrypt_secrets(harness.database, BOTH) == Reencryption(2, 0, 0)
    assert await count_old(harness) == 0
    async with harness.run_engine(secret_box=NEW):
        await harness.queue_webhooks("O-1")
        await harness.wait_until_stored("Alder has O-1")
    (webhook,) = harness.receiver.accepted
    for each in (old, secret):
        Verifier(each).verify(webhook.body, webhook.headers)


async def test_what_cannot_be_decrypted_is_counted_and_left_as_it_is(harness: WebhookHarness) -> None:
    await harness.put_endpoint("Alder")
    assert await reencrypt_secrets(harness.database, NEW) == Reencryption(1, 0, 1)
    assert await reencrypt_secrets(harness.database, SECRET_BOX) == Reencryption(1, 0, 0)


async def test_many_endpoints_are_read_in_batches(harness: WebhookHarness) -> None:
    async with harness.database.begin_transaction() as connection:
        await connection.run(
            "INSERT INTO endpoints (owner, url, secret, changed_at)"
            " SELECT 'owner-' || n, 'https://alder.example/', 'xxxx', now() FROM generate_series(1, 450) AS n"
        )
    assert await reencrypt_secrets(harness.database, BOTH) == Reencryption(450, 0, 450)
