"""Signing keys of an endpoint: the present secret, and previous ones that sign too until their overlap ends.

All previous secrets are stored in one encrypted value, the newest first. A value that is a bare secret is valid as long
as its column `previous_secret_until`.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service_runtime.webhooks.secret_box import SecretBox, SecretUnreadable
from service_runtime.webhooks.signing import PREFIX

MAX_PREVIOUS: Final = 3
"""Previous secrets that are kept; an earlier one ends at the next rotation."""


@dataclass(frozen=True)
class PreviousSecret:
    """A replaced secret, which signs webhooks until then."""

    secret: str
    until: datetime


def add_previous(
    previous: Sequence[PreviousSecret], replaced: PreviousSecret, *, now: datetime
) -> tuple[PreviousSecret, ...]:
    """Returns the previous secrets after a rotation: the replaced one and those that have not ended."""
    return tuple(each for each in (replaced, *previous) if each.until > now)[:MAX_PREVIOUS]


def pack(previous: Sequence[PreviousSecret]) -> str:
    """Returns the text that is encrypted and stored."""
    return json.dumps([[each.secret, each.until.isoformat()] for each in previous])


def unpack(text: str, *, until: datetime) -> tuple[PreviousSecret, ...]:
    """Reads what `pack` returned; a bare secret is valid until `until`."""
    if text.startswith(PREFIX):
        return (PreviousSecret(text, until),)
    return tuple(PreviousSecret(secret, datetime.fromisoformat(end)) for secret, end in json.loads(text))


def decrypt_keys(secret_box: SecretBox, secrets: Sequence[bytes], *, owner: str, now: datetime) -> list[str]:
    """Decrypts the keys that sign at `now`: the present secret first, then previous ones.

    `secrets` are the stored values of an endpoint whose overlap has not ended. A previous secret that cannot be
    decrypted is left out. Raises SecretUnreadable if the present one cannot.
    """
    keys = [secret_box.decrypt(secrets[0], owner=owner)]
    for sealed in secrets[1:]:
        try:
            text = secret_box.decrypt(sealed, owner=owner)
        except SecretUnreadable:
            continue
        keys += [
            each.secret for each in unpack(text, until=datetime.max.replace(tzinfo=now.tzinfo)) if each.until > now
        ]
    return keys
