"""Links that answer for a provider: a token says which offer and whose, until when, and cannot be made by anybody else.

Whoever has the link acts for the provider, so it is sent to nobody else, and it ends by itself.
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

SHORTEST_KEY: Final = 32
_SIGNED: Final = 16 + 16 + 8
_PURPOSE: Final = b"calloff offer link 1\x00"


class LinkNotValid(NotFound):
    """The link is damaged, was not made by us, or has ended; one answer to all, so that nothing can be learnt."""

    title = "Link not valid"

    def __init__(self) -> None:
        super().__init__("the link is not valid or has ended; take it from the newest mail, or telephone the council")


@dataclass(frozen=True)
class OfferLink:
    """What a token says; `ends_at` is in whole seconds, exclusive."""

    offer_id: OfferId
    provider_id: ProviderId
    ends_at: datetime


class OfferLinks:
    """Makes tokens and checks them, with a key that those who send links share with those who are called by them."""

    def __init__(self, key: str) -> None:
        if len(key) < SHORTEST_KEY:
            message = f"the key of offer links is shorter than {SHORTEST_KEY} characters; give a longer one"
            raise ValueError(message)
        self._key = key.encode()

    def create_token(self, link: OfferLink) -> str:
        """The token of `link`, of letters, digits, `-` and `_`."""
        ends_at = int(link.ends_at.timestamp())
        signed = link.offer_id.bytes + link.provider_id.bytes + ends_at.to_bytes(8, "big")
        return base64.urlsafe_b64encode(signed + self._compute_signature(signed)).decode()

    def check(self, token: str, *, now: datetime) -> OfferLink:
        """Which offer of whom the token is for. Raises LinkNotValid."""
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
