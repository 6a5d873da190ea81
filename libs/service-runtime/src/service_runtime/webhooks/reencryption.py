"""Re-encryption of stored secrets and mailboxes with the first key, after which an old key can be removed."""

from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import text

from service_runtime.postgres.database import Connection, Database
from service_runtime.webhooks.secret_box import KEY_NAME_BYTES, SecretBox, SecretUnreadable

BATCH_SIZE: Final = 200

_BATCH = text(
    """
    SELECT owner, secret, previous_secret FROM endpoints WHERE owner > :after ORDER BY owner LIMIT :size
    """
)
# Changes nothing if a rotation came between: that has used the first key.
_REPLACE = text(
    """
    UPDATE endpoints SET secret = :secret, previous_secret = :previous
    WHERE owner = :owner AND secret = :old_secret AND previous_secret IS NOT DISTINCT FROM CAST(:old_previous AS bytea)
    """
)
_COUNT_OLD = text(
    f"""
    SELECT count(*) FROM endpoints
    WHERE substr(secret, 1, {KEY_NAME_BYTES}) <> :name OR substr(previous_secret, 1, {KEY_NAME_BYTES}) <> :name
    """  # noqa: S608  a constant
)


@dataclass(frozen=True)
class Reencryption:
    """Counts of endpoints and mailboxes: all, re-encrypted ones, and those with a value that cannot be decrypted."""

    read: int = 0
    reencrypted: int = 0
    unreadable: int = 0


async def reencrypt_secrets(database: Database, secret_box: SecretBox, *, dry_run: bool = False) -> Reencryption:
    """Encrypts with the first key what another key has encrypted, in batches; with `dry_run` only counts.

    Safe to repeat and while the service runs. An unreadable value stays as it is.
    """
    done, after = Reencryption(), ""
    while True:
        rows = await database.find(_BATCH, {"after": after, "size": BATCH_SIZE})
        if not rows:
            return done
        after = rows[-1].owner
        async with database.begin_transaction() as connection:
            for row in rows:
                done = await _reencrypt_row(connection, secret_box, row, done, dry_run=dry_run)


async def _reencrypt_row(
    connection: Connection,
    secret_box: SecretBox,
    row: Any,  # a row's attributes are its columns
    done: Reencryption,
    *,
    dry_run: bool,
) -> Reencryption:
    done = replace(done, read=done.read + 1)
    stored = {"secret": row.secret, "previous": row.previous_secret}
    try:
        changed = {name: _reencrypt(secret_box, value, owner=row.owner) for name, value in stored.items()}
    except SecretUnreadable:
        return replace(done, unreadable=done.unreadable + 1)
    if changed == stored:
        return done
    if not dry_run:
        old = {"old_secret": row.secret, "old_previous": row.previous_secret}
        await connection.execute(_REPLACE, {**changed, **old, "owner": row.owner})
    return replace(done, reencrypted=done.reencrypted + 1)


def _reencrypt(secret_box: SecretBox, sealed: bytes | None, *, owner: str) -> bytes | None:
    if sealed is None or secret_box.has_first_key(sealed):
        return sealed
    return secret_box.encrypt(secret_box.decrypt(sealed, owner=owner), owner=owner)


async def count_under_old_keys(connection: Connection, secret_box: SecretBox) -> int:
    """Returns the number of endpoints and mailboxes with a value that another key than the first has encrypted."""
    return (await connection.execute(_COUNT_OLD, {"name": secret_box.first_key_name})).scalar_one()
