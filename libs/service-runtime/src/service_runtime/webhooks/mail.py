"""E-mail as a second channel of the delivery queue: a mailbox is a row among the endpoints.

Its URL is `mailto:`, and its encrypted address is stored in place of the signing secret, because an address may name a
person. A mail counts as delivered when the mail server accepts it, as a webhook does on a 2xx.
"""

import asyncio
import json
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.unit_of_work.unit_of_work import PostgresUnitOfWork
from service_runtime.webhooks.secret_box import SecretBox
from service_runtime.webhooks.sending import REQUEST_TIMEOUT, EndpointResponse, RequestTimeout

MAILBOX: Final = "mailto:"
ACCEPTED: Final = 250

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


class MailSender:
    """Submits mail to the server, one connection for each; the queued body contains `subject` and `text`."""

    def __init__(self, server: MailServer, *, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send(self, address: str, mail_id: str, body: bytes, *, limit: RequestTimeout) -> EndpointResponse:
        """Sends `body` once, within `limit`; the response's status is the server's reply code.

        Raises OSError if the server cannot be reached. The thread continues after `limit`: its mail may still arrive,
        and the next attempt has the same Message-ID, so that receivers recognise the duplicate.
        """
        async with limit:
            code = await asyncio.to_thread(self._submit_mail, _build_mail(body, mail_id, address, self._server.sender))
        return EndpointResponse(code, self._clock.now())

    def _submit_mail(self, mail: EmailMessage) -> int:
        try:
            with smtplib.SMTP(self._server.host, self._server.port, timeout=REQUEST_TIMEOUT) as server:
                if self._server.starttls:
                    server.starttls(context=ssl.create_default_context())
                if self._server.login is not None:
                    server.login(self._server.login.username, self._server.login.password)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            return next(code for code, _ in error.recipients.values())
        except smtplib.SMTPResponseException as error:
            return error.smtp_code
        return ACCEPTED


def _build_mail(body: bytes, mail_id: str, address: str, sender: str) -> EmailMessage:
    data: dict[str, Any] = json.loads(body)["data"]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, address, str(data["subject"])
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    mail.set_content(str(data["text"]))
    return mail
