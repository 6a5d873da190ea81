"""E-mail as a second channel of the delivery queue: a mailbox is a row among the endpoints.

Its URL is `mailto:`, and its encrypted address is stored in place of the signing secret, because an address may name a
person. A mail counts as delivered when the mail server accepts it, as a webhook does on a 2xx.
"""

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.secret_box import SecretBox

MAILBOX: Final = "mailto:"

_PUT = text(
    """
    INSERT INTO endpoints (owner, url, secret, changed_at) VALUES (:owner, :url, :address, :now)
    ON CONFLICT (owner) DO UPDATE SET secret = excluded.secret, changed_at = excluded.changed_at
    """
)
_EXISTS = text("SELECT 1 FROM endpoints WHERE owner = :owner")
_REMOVE = text("DELETE FROM endpoints WHERE owner = :owner")


def to_mailbox(owner: str) -> str:
    """Returns the queue's owner name for mail to `owner`; it differs from webhooks', so neither delays the other."""
    return MAILBOX + owner


def is_mailbox(owner: str) -> bool:
    """Returns True if the queue's owner name is for mail."""
    return owner.startswith(MAILBOX)


def to_owner(mailbox: str) -> str:
    return mailbox.removeprefix(MAILBOX)


class Mailboxes:
    """Writes mailboxes inside one unit of work, and sees its own changes; no method returns an address."""

    def __init__(self, work: PostgresUnitOfWork, *, secret_box: SecretBox) -> None:
        self._work = work
        self._secret_box = secret_box
        self._changed: dict[str, bool] = {}

    async def put(self, owner: str, address: str) -> None:
        """Sets the address for mail to `owner`, including mail that is already queued."""
        name = to_mailbox(owner)
        sealed = self._secret_box.encrypt(address, owner=name)
        self._work.write(_PUT, {"owner": name, "url": MAILBOX, "address": sealed, "now": self._work.now})
        self._changed[owner] = True

    async def has_mailbox(self, owner: str) -> bool:
        if owner in self._changed:
            return self._changed[owner]
        return (await self._work.execute(_EXISTS, {"owner": to_mailbox(owner)})).first() is not None

    async def remove(self, owner: str) -> None:
        self._work.write(_REMOVE, {"owner": to_mailbox(owner)})
        self._changed[owner] = False


@dataclass(frozen=True)
class Login:
    """Credentials for the mail server."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class MailServer:
    """The SMTP server and the sender address; with `starttls` the connection is encrypted before login."""

    host: str
    port: int
    sender: str
    starttls: bool = True
    login: Login | None = None
    reply_to: str | None = None
    """Where answers go that people write to a mail."""
