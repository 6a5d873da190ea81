"""Table of endpoints: each owner's URL and signing secrets. A secret is returned once, when it is created."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from yarl import URL

from contracts.errors import FieldError, InvalidInput, NotFound
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.addresses import AddressRefused, AddressRules
from service_runtime.webhooks.secret_box import SecretBox, SecretUnreadable
from service_runtime.webhooks.signing import generate_secret
from service_runtime.webhooks.signing_keys import PreviousSecret, add_previous, pack, unpack

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
    """The last previous secret signs webhooks too until this instant; None if there is no previous secret."""
    changed_at: datetime


_PUT = text(
    """
    INSERT INTO endpoints (owner, url, secret, changed_at) VALUES (:owner, :url, :secret, :now)
    ON CONFLICT (owner) DO UPDATE SET url = excluded.url, disabled_because = NULL, failing_since = NULL,
                                      failing_notice_at = NULL, paused_until = NULL, changed_at = excluded.changed_at
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
    UPDATE endpoints
    SET secret = :secret, previous_secret = :previous, previous_secret_until = :until, changed_at = :now
    WHERE owner = :owner
    """
)
_SECRETS = text("SELECT secret, previous_secret, previous_secret_until FROM endpoints WHERE owner = :owner")
_DELETE_PREVIOUS = text(
    """
    UPDATE endpoints SET previous_secret = NULL, previous_secret_until = NULL, changed_at = :now WHERE owner = :owner
    """
)
_DISABLE = text(
    """
    UPDATE endpoints SET disabled_because = :because, changed_at = :now
    WHERE owner = :owner AND url = :url AND disabled_because IS NULL
    """
)


@dataclass(frozen=True)
class _Secrets:
    """The secrets of an endpoint; `present` is None if it cannot be decrypted."""

    present: str | None
    previous: tuple[PreviousSecret, ...] = ()


class Endpoints:
    """Reads and changes endpoints inside one unit of work; it sees its own changes."""

    def __init__(self, work: PostgresUnitOfWork, *, secret_box: SecretBox, rules: AddressRules) -> None:
        self._work = work
        self._secret_box = secret_box
        self._rules = rules
        self._changed: dict[str, Endpoint] = {}
        self._secrets: dict[str, _Secrets] = {}

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
        if known is None:
            self._secrets[owner] = _Secrets(secret)
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
        """Replaces the secret and returns the new one; webhooks are signed with the old one too for `overlap`.

        Secrets whose overlap has not ended stay valid, at most MAX_PREVIOUS of them. Raises EndpointNotFound.
        """
        known, now = await self._get_known(owner), self._work.now
        secrets, secret = await self._load_secrets(owner), generate_secret()
        previous = secrets.previous
        if secrets.present is not None:
            previous = add_previous(previous, PreviousSecret(secrets.present, now + overlap), now=now)
        until = max((each.until for each in previous), default=None)
        arguments = {
            "owner": owner,
            "secret": self._secret_box.encrypt(secret, owner=owner),
            "previous": self._secret_box.encrypt(pack(previous), owner=owner) if previous else None,
            "until": until,
            "now": now,
        }
        self._work.write(_ROTATE, arguments, rows=1)
        self._secrets[owner] = _Secrets(secret, previous)
        self._changed[owner] = replace(known, previous_secret_until=until, changed_at=now)
        return secret

    async def delete_previous_secrets(self, owner: str) -> None:
        """Ends the overlap at once: webhooks are signed with the present secret only. Raises EndpointNotFound."""
        known, now = await self._get_known(owner), self._work.now
        self._work.write(_DELETE_PREVIOUS, {"owner": owner, "now": now}, rows=1)
        self._secrets[owner] = replace(await self._load_secrets(owner), previous=())
        self._changed[owner] = replace(known, previous_secret_until=None, changed_at=now)

    async def _get_known(self, owner: str) -> Endpoint:
        known = await self.get(owner)
        if known is None:
            message = "there is no webhook endpoint; register one first"
            raise EndpointNotFound(message)
        return known

    async def _load_secrets(self, owner: str) -> "_Secrets":
        """Returns the secrets that can be decrypted; a rotation replaces the others."""
        if owner in self._secrets:
            return self._secrets[owner]
        row = (await self._work.execute(_SECRETS, {"owner": owner})).one()
        present = self._decrypt(row.secret, owner)
        packed = None if row.previous_secret is None else self._decrypt(row.previous_secret, owner)
        until = row.previous_secret_until
        return _Secrets(present, () if packed is None or until is None else unpack(packed, until=until))

    def _decrypt(self, sealed: bytes, owner: str) -> str | None:
        try:
            return self._secret_box.decrypt(sealed, owner=owner)
        except SecretUnreadable:
            return None

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
