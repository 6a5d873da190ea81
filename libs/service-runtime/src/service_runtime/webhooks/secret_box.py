"""Encryption of signing secrets at rest. Each is bound to its owner, so that a row copied to another is unreadable."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from contracts.errors import CallOffError

_NONCE: Final = 12
KEY_NAME_BYTES: Final = 4
"""A stored value begins with the name of its key: so many bytes of the key's hash."""


class SecretBoxKeyInvalid(CallOffError):
    """An encryption key is not 32 bytes in base64, or there is no key."""


class SecretUnreadable(CallOffError):
    """A stored secret cannot be decrypted: its key is not configured, or the row was changed."""


class SecretBox:
    """Encrypts with the first key and decrypts with any of them (AES-256-GCM).

    `keys` are 32 bytes each, in base64. To change the key, put the new one first, re-encrypt all secrets
    (`reencryption`), and remove the old one. Raises SecretBoxKeyInvalid.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        raw = [_decode_key(key) for key in keys]
        if not raw:
            message = "no key for webhook secrets is configured; configure at least one, 32 bytes in base64"
            raise SecretBoxKeyInvalid(message)
        self._ciphers = {hashlib.sha256(key).digest()[:KEY_NAME_BYTES]: AESGCM(key) for key in raw}
        self._first = next(iter(self._ciphers))

    @property
    def first_key_name(self) -> bytes:
        """The name of the key that encrypts."""
        return self._first

    def has_first_key(self, sealed: bytes) -> bool:
        """True if the first key has encrypted this value."""
        return sealed[:KEY_NAME_BYTES] == self._first

    def encrypt(self, secret: str, *, owner: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return self._first + nonce + self._ciphers[self._first].encrypt(nonce, secret.encode(), owner.encode())

    def decrypt(self, sealed: bytes, *, owner: str) -> str:
        """Decrypts a secret of `owner`. Raises SecretUnreadable."""
        cipher = self._ciphers.get(sealed[:KEY_NAME_BYTES])
        if cipher is None:
            message = (
                "a webhook secret was encrypted with a key that is not configured; configure it or rotate the secret"
            )
            raise SecretUnreadable(message)
        nonce, encrypted = sealed[KEY_NAME_BYTES : KEY_NAME_BYTES + _NONCE], sealed[KEY_NAME_BYTES + _NONCE :]
        try:
            return cipher.decrypt(nonce, encrypted, owner.encode()).decode()
        except InvalidTag:
            message = "a webhook secret is damaged or belongs to another owner; rotate it"
            raise SecretUnreadable(message) from None


def _decode_key(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        message = "a key for webhook secrets is not 32 bytes in base64; generate one with `openssl rand -base64 32`"
        raise SecretBoxKeyInvalid(message)
    return key
