"""Sent offers, read from the webhook engine's queue and the notices."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.ids import OfferId, PackageId
from provider_registry.domain.messages import OFFER_MADE, OFFER_MAILED
from provider_registry.domain.offer_summary import OfferSummary
from service_runtime.postgres.database import Reader

# `deliveries` is a table of the runtime: an offer counts as sent once a request or a mail with it went out.
_WAS_SENT = text(
    """
    SELECT 1 FROM deliveries
    WHERE topic = :topic AND key = :package_id AND kind = ANY(CAST(:kinds AS text[])) AND about = :offer_id
      AND attempts > 0
    UNION ALL
    SELECT 1 FROM notices
    WHERE package_id = CAST(CAST(:package_id AS text) AS uuid) AND about = CAST(CAST(:offer_id AS text) AS uuid)
      AND kind = :kind AND state = 'notified'
    LIMIT 1
    """
)
_OFFER_BODY = text(
    """
    SELECT body FROM deliveries
    WHERE topic = :topic AND key = :package_id AND kind = :kind AND about = :offer_id AND body <> ''
    ORDER BY position DESC LIMIT 1
    """
)


@dataclass(frozen=True)
class _OfferWebhookBody:
    """The body of an offer's webhook."""

    data: OfferSummary


_OFFER_BODY_ADAPTER: Final = TypeAdapter(_OfferWebhookBody)


class PostgresSentOffers:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def has_been_sent(self, package_id: PackageId, offer_id: OfferId) -> bool:
        arguments = {
            "topic": PACKAGES,
            "package_id": str(package_id),
            "kind": OFFER_MADE,
            "kinds": [OFFER_MADE, OFFER_MAILED],
            "offer_id": str(offer_id),
        }
        return (await self._reader.execute(_WAS_SENT, arguments)).first() is not None

    async def find_summary(self, package_id: PackageId, offer_id: OfferId) -> OfferSummary | None:
        arguments = {"topic": PACKAGES, "package_id": str(package_id), "kind": OFFER_MADE, "offer_id": str(offer_id)}
        body = (await self._reader.execute(_OFFER_BODY, arguments)).scalar_one_or_none()
        return None if body is None else _OFFER_BODY_ADAPTER.validate_json(body).data
