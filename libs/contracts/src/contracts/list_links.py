"""Signed tokens of list links: a token contains the list, its recipient and an expiry time.

A link authorises its holder to return the list for the provider. It is sent to the provider only, and it expires.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.ids import ListId, ProviderId
from contracts.link_tokens import LinkTokens

_PURPOSE: Final = b"calloff list link 1\x00"


@dataclass(frozen=True)
class ListLink:
    """The content of a token; `ends_at` is in whole seconds, exclusive."""

    list_id: ListId
    provider_id: ProviderId
    ends_at: datetime


class ListLinkSigner:
    """Creates and verifies tokens, with the key of offer links."""

    def __init__(self, key: str) -> None:
        self._tokens = LinkTokens(key, purpose=_PURPOSE)

    def create_token(self, link: ListLink) -> str:
        return self._tokens.create(link.list_id, link.provider_id, link.ends_at)

    def verify_token(self, token: str, *, now: datetime) -> ListLink:
        """Returns the content of a valid token. Raises LinkNotValid."""
        list_id, provider_id, ends_at = self._tokens.verify(token, now=now)
        return ListLink(ListId(list_id), ProviderId(provider_id), ends_at)
