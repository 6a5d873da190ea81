"""Table of endpoints: each owner's URL and signing secrets. A secret is returned once, when it is created."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from yarl import URL

from contracts.errors import FieldError, InvalidInput, NotFound
from service_runtime.postgres.database import Connection
from service_runtime.webhooks.addresses import AddressRefused, AddressRules
from service_runtime.webhooks.secret_box import SecretBox
from service_runtime.webhooks.signing import generate_secret

GONE: Final = "gone"
"""The reason stored for an endpoint that was disabled because it answered 410."""


class EndpointNotFound(NotFound):
    """The owner has no endpoint; register one first."""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint without its secret, as shown to its owner."""

    owner: str
    url: str
    disabled_because: str | None
    previous_secret_until: datetime | None
    """Webhooks are also signed with the previous secret until this instant; None if there is no previous secret."""
    changed_at: datetime


_PUT = text(
    """
    INSERT INTO endpoints (owner, url, secret, changed_at) VALUES (:owner, :url, :secret, :now)
    ON CONFLICT (owner) DO UPDATE SET url = excluded.url, disabled_because = NULL, changed_at = excluded.changed_at
    RETURNING secret = :secret AS is_new
    """
)
_GET = text(
    """
    SELECT owner, url, disabled_because, changed_at,
           CASE WHEN previous_secret_until > :now THEN previous_secret_until END AS previous_secret_until
    FROM endpoints WHERE owner = :owner
    """
)
_ROTATE = text(
    """
    UPDATE endpoints SET previous_secret = secret, previous_secret_until = :until, secret = :secret, changed_at = :now
    WHERE owner = :owner RETURNING owner
    """
)
_DISABLE = text(
    """
    UPDATE endpoints SET disabled_because = :because, changed_at = :now
    WHERE owner = :owner AND disabled_because IS NULL RETURNING owner
    """
)
_DISABLE_AT = text(
    """
    UPDATE endpoints SET disabled_because = :because, changed_at = :now
    WHERE owner = :owner AND url = :url AND disabled_because IS NULL RETURNING owner
    """
)


class Endpoints:
    """Reads and changes endpoints inside one unit of work whose instant is `now`."""

    def __init__(self, connection: Connection, *, secret_box: SecretBox, rules: AddressRules, now: datetime) -> None:
        self._connection = connection
        self._secret_box = secret_box
        self._rules = rules
        self._now = now

    async def put(self, owner: str, url: str) -> str | None:
        """Registers or changes an endpoint and enables it; queued webhooks go to the new URL.

        Returns the secret of a new endpoint, or None for an existing endpoint, whose secret does not change.
        Raises InvalidInput (`#/url`) for a URL that the address rules refuse.
        """
        secret = generate_secret()
        arguments = {
            "owner": owner,
            "url": str(self._check_url(url)),
            "secret": self._secret_box.encrypt(secret, owner=owner),
            "now": self._now,
        }
        is_new: bool = (await self._connection.execute(_PUT, arguments)).scalar_one()
        return secret if is_new else None

    async def get(self, owner: str) -> Endpoint | None:
        row = (await self._connection.execute(_GET, {"owner": owner, "now": self._now})).one_or_none()
        if row is None:
            return None
        return Endpoint(row.owner, row.url, row.disabled_because, row.previous_secret_until, row.changed_at)

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        """Replaces the secret and returns the new one; webhooks are signed with both secrets for `overlap`.

        Raises EndpointNotFound.
        """
        secret = generate_secret()
        arguments = {
            "owner": owner,
            "secret": self._secret_box.encrypt(secret, owner=owner),
            "until": self._now + overlap,
            "now": self._now,
        }
        if (await self._connection.execute(_ROTATE, arguments)).one_or_none() is None:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        return secret

    async def disable(self, owner: str, *, because: str) -> bool:
        """Disables an endpoint until it is put again; returns False if there is none or it is already disabled."""
        arguments = {"owner": owner, "because": because, "now": self._now}
        return (await self._connection.execute(_DISABLE, arguments)).one_or_none() is not None

    def _check_url(self, url: str) -> URL:
        try:
            parsed = URL(url)
            self._rules.check_url(parsed)
        except AddressRefused as error:
            raise InvalidInput(FieldError("#/url", str(error))) from None
        except ValueError:
            raise InvalidInput(FieldError("#/url", "this is not a URL")) from None
        return parsed


async def disable_gone(connection: Connection, owner: str, url: str, *, now: datetime) -> bool:
    """Disables an endpoint that answered 410; returns False if it is already disabled or its URL has changed."""
    arguments = {"owner": owner, "url": url, "because": GONE, "now": now}
    return (await connection.execute(_DISABLE_AT, arguments)).one_or_none() is not None
