"""What the webhook engine's queue says of offers."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import text

from contracts.catalogue import PACKAGES
from contracts.ids import OfferId, PackageId
from provider_registry.domain.mails import OfferSaid
from provider_registry.domain.messages import OFFER_MADE
from service_runtime.postgres.database import Connection

# The runtime's own table: an offer was heard of as soon as one request with it went out.
_WAS_HEARD_OF = text(
    """
    SELECT 1 FROM deliveries
    WHERE topic = :topic AND key = :package_id AND kind = :kind AND about = :offer_id AND attempts > 0
    """
)
_SAID = text(
    """
    SELECT body FROM deliveries
    WHERE topic = :topic AND key = :package_id AND kind = :kind AND about = :offer_id
    ORDER BY position DESC LIMIT 1
    """
)


@dataclass(frozen=True)
class _SaidByWebhook:
    """The part of an offer's queued webhook that a mail repeats."""

    data: OfferSaid


_SAID_BODY: Final = TypeAdapter(_SaidByWebhook)


class PostgresSentOffers:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def was_heard_of(self, package_id: PackageId, offer_id: OfferId) -> bool:
        arguments = {"topic": PACKAGES, "package_id": str(package_id), "kind": OFFER_MADE, "offer_id": str(offer_id)}
        return (await self._connection.execute(_WAS_HEARD_OF, arguments)).first() is not None

    async def said(self, package_id: PackageId, offer_id: OfferId) -> OfferSaid | None:
        arguments = {"topic": PACKAGES, "package_id": str(package_id), "kind": OFFER_MADE, "offer_id": str(offer_id)}
        body = (await self._connection.execute(_SAID, arguments)).scalar_one_or_none()
        return None if body is None else _SAID_BODY.validate_json(body).data
