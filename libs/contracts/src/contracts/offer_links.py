"""Signed tokens of offer links: a token contains the offer, its provider and an expiry time.

A link authorises its holder to answer for the provider. It is sent to the provider only, and it expires.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.ids import OfferId, ProviderId
from contracts.link_tokens import MIN_KEY_LENGTH, LinkNotValid, LinkTokens

__all__ = ["MIN_KEY_LENGTH", "LinkNotValid", "OfferLink", "OfferLinkSigner"]

_PURPOSE: Final = b"calloff offer link 1\x00"


@dataclass(frozen=True)
class OfferLink:
    """The content of a token; `ends_at` is in whole seconds, exclusive."""

    offer_id: OfferId
    provider_id: ProviderId
    ends_at: datetime


class OfferLinkSigner:
    """Creates and verifies tokens. The service that sends links and the service that receives them share the key."""

    def __init__(self, key: str) -> None:
        self._tokens = LinkTokens(key, purpose=_PURPOSE)

    def create_token(self, link: OfferLink) -> str:
        """Returns the token: letters, digits, `-`, `_` and `=` padding only."""
        return self._tokens.create(link.offer_id, link.provider_id, link.ends_at)

    def verify_token(self, token: str, *, now: datetime) -> OfferLink:
        """Returns the content of a valid token. Raises LinkNotValid."""
        offer_id, provider_id, ends_at = self._tokens.verify(token, now=now)
        return OfferLink(OfferId(offer_id), ProviderId(provider_id), ends_at)
