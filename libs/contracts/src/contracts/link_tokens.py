"""Tokens of links in mails: two ids and an expiry time under a signature.

A token is valid for one purpose only. Its holder acts for the provider that it names.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from contracts.errors import NotFound

MIN_KEY_LENGTH: Final = 32
_SIGNED: Final = 16 + 16 + 8


class LinkNotValid(NotFound):
    """The token is malformed, has a wrong signature, or has expired. The message does not disclose which."""

    title = "Link not valid"

    def __init__(self) -> None:
        super().__init__("the link is not valid or has ended; take it from the newest mail, or telephone the council")


class LinkTokens:
    """Creates and verifies tokens of one purpose. The services that send and receive links share the key."""

    def __init__(self, key: str, *, purpose: bytes) -> None:
        if len(key) < MIN_KEY_LENGTH:
            message = f"the key of offer links is shorter than {MIN_KEY_LENGTH} characters; give a longer one"
            raise ValueError(message)
        self._key = key.encode()
        self._purpose = purpose

    def create(self, subject: UUID, provider: UUID, ends_at: datetime) -> str:
        """Returns the token: letters, digits, `-`, `_` and `=` padding only. `ends_at` counts in whole seconds."""
        signed = subject.bytes + provider.bytes + int(ends_at.timestamp()).to_bytes(8, "big")
        return base64.urlsafe_b64encode(signed + self._compute_signature(signed)).decode()

    def verify(self, token: str, *, now: datetime) -> tuple[UUID, UUID, datetime]:
        """Returns both ids and the end (exclusive) of a valid token. Raises LinkNotValid."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise LinkNotValid from None
        signed, signature = raw[:_SIGNED], raw[_SIGNED:]
        if not hmac.compare_digest(signature, self._compute_signature(signed)):
            raise LinkNotValid
        ends_at = datetime.fromtimestamp(int.from_bytes(signed[32:], "big"), UTC)
        if now >= ends_at:
            raise LinkNotValid
        return UUID(bytes=signed[:16]), UUID(bytes=signed[16:32]), ends_at

    def _compute_signature(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, self._purpose + signed, hashlib.sha256)
