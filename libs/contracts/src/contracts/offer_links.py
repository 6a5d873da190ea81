"""Signed tokens of offer links: a token contains the offer, its provider and an expiry time.

A link authorises its holder to answer for the provider. It is sent to the provider only, and it expires.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from contracts.errors import NotFound
from contracts.ids import OfferId, ProviderId

MIN_KEY_LENGTH: Final = 32
_SIGNED: Final = 16 + 16 + 8
_PURPOSE: Final = b"calloff offer link 1\x00"


class LinkNotValid(NotFound):
    """The token is malformed, has a wrong signature, or has expired. The message does not disclose which."""

    title = "Link not valid"

    def __init__(self) -> None:
        super().__init__("the link is not valid or has ended; take it from the newest mail, or telephone the council")


@dataclass(frozen=True)
class OfferLink:
    """The content of a token; `ends_at` is in whole seconds, exclusive."""

    offer_id: OfferId
    provider_id: ProviderId
    ends_at: datetime


class OfferLinkSigner:
    """Creates and verifies tokens. The service that sends links and the service that receives them share the key."""

    def __init__(self, key: str) -> None:
        if len(key) < MIN_KEY_LENGTH:
            message = f"the key of offer links is shorter than {MIN_KEY_LENGTH} characters; give a longer one"
            raise ValueError(message)
        self._key = key.encode()

    def create_token(self, link: OfferLink) -> str:
        """Returns the token: letters, digits, `-`, `_` and `=` padding only."""
        ends_at = int(link.ends_at.timestamp())
        signed = link.offer_id.bytes + link.provider_id.bytes + ends_at.to_bytes(8, "big")
        return base64.urlsafe_b64encode(signed + self._compute_signature(signed)).decode()

    def verify_token(self, token: str, *, now: datetime) -> OfferLink:
        """Returns the content of a valid token. Raises LinkNotValid."""
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
        return OfferLink(OfferId(UUID(bytes=signed[:16])), ProviderId(UUID(bytes=signed[16:32])), ends_at)

    def _compute_signature(self, signed: bytes) -> bytes:
        return hmac.digest(self._key, _PURPOSE + signed, hashlib.sha256)
