"""Table of endpoints: each owner's URL and signing secrets. A secret is returned once, when it is created."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from yarl import URL

from contracts.errors import FieldError, InvalidInput, NotFound
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
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
    ON CONFLICT (owner) DO UPDATE SET url = excluded.url, disabled_because = NULL, paused_until = NULL,
                                      changed_at = excluded.changed_at
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
    WHERE owner = :owner
    """
)
_DISABLE = text(
    """
    UPDATE endpoints SET disabled_because = :because, changed_at = :now
    WHERE owner = :owner AND url = :url AND disabled_because IS NULL
    """
)


class Endpoints:
    """Reads and changes endpoints inside one unit of work; it sees its own changes."""

    def __init__(self, work: PostgresUnitOfWork, *, secret_box: SecretBox, rules: AddressRules) -> None:
        self._work = work
        self._secret_box = secret_box
        self._rules = rules
        self._changed: dict[str, Endpoint] = {}

    async def put(self, owner: str, url: str) -> str | None:
        """Registers or changes an endpoint and enables it; queued webhooks go to the new URL.

        Returns the secret of a new endpoint, or None for an existing endpoint, whose secret does not change.
        Raises InvalidInput (`#/url`) for a URL that the address rules refuse.
        """
        checked, known, now = str(self._check_url(url)), await self.get(owner), self._work.now
        secret = generate_secret()
        arguments = {
            "owner": owner,
            "url": checked,
            "secret": self._secret_box.encrypt(secret, owner=owner),
            "now": now,
        }
        self._work.write(_PUT, arguments)
        until = None if known is None else known.previous_secret_until
        self._changed[owner] = Endpoint(owner, checked, None, until, now)
        return secret if known is None else None

    async def get(self, owner: str) -> Endpoint | None:
        if owner in self._changed:
            return self._changed[owner]
        row = (await self._work.execute(_GET, {"owner": owner, "now": self._work.now})).one_or_none()
        if row is None:
            return None
        return Endpoint(row.owner, row.url, row.disabled_because, row.previous_secret_until, row.changed_at)

    async def rotate_secret(self, owner: str, *, overlap: timedelta) -> str:
        """Replaces the secret and returns the new one; webhooks are signed with both secrets for `overlap`.

        Raises EndpointNotFound.
        """
        known, now = await self.get(owner), self._work.now
        if known is None:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        secret = generate_secret()
        arguments = {
            "owner": owner,
            "secret": self._secret_box.encrypt(secret, owner=owner),
            "until": now + overlap,
            "now": now,
        }
        self._work.write(_ROTATE, arguments, rows=1)
        self._changed[owner] = replace(known, previous_secret_until=now + overlap, changed_at=now)
        return secret

    async def disable(self, owner: str, *, because: str) -> bool:
        """Disables an endpoint until it is put again; returns False if there is none or it is already disabled."""
        known, now = await self.get(owner), self._work.now
        if known is None or known.disabled_because is not None:
            return False
        arguments = {"owner": owner, "url": known.url, "because": because, "now": now}
        self._work.write(_DISABLE, arguments, rows=1)
        self._changed[owner] = replace(known, disabled_because=because, changed_at=now)
        return True

    async def disable_gone(self, owner: str, url: str) -> bool:
        """Disables an endpoint that answered 410; returns False if it is already disabled or its URL has changed."""
        known = await self.get(owner)
        return known is not None and known.url == url and await self.disable(owner, because=GONE)

    def _check_url(self, url: str) -> URL:
        try:
            parsed = URL(url)
            self._rules.check_url(parsed)
        except AddressRefused as error:
            raise InvalidInput(FieldError("#/url", str(error))) from None
        except ValueError:
            raise InvalidInput(FieldError("#/url", "this is not a URL")) from None
        return parsed
