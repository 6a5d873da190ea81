"""Mail as another way out of the same queue: an owner's mailbox stands among the endpoints, its address encrypted.

A mailbox's row has `mailto:` for a URL and the address in the place of the signing secret, because an address may name
a person. The mail server's acceptance is the delivery, as an endpoint's 2xx is.
"""

import asyncio
import json
import smtplib
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

from sqlalchemy import text

from service_runtime.clock import Clock
from service_runtime.postgres.database import Connection
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
    """Whom a mail in the queue is for, where webhooks have the bare owner; so neither waits for the other."""
    return MAILBOX + owner


def to_owner(mailbox: str) -> str:
    return mailbox.removeprefix(MAILBOX)


class Mailboxes:
    """The mailboxes, inside one unit of work whose instant is `now`; an address goes in and never comes out."""

    def __init__(self, connection: Connection, *, secret_box: SecretBox, now: datetime) -> None:
        self._connection = connection
        self._secret_box = secret_box
        self._now = now

    async def put(self, owner: str, address: str) -> None:
        """Mail to `owner` goes to `address` from now on, what is queued too."""
        name = to_mailbox(owner)
        sealed = self._secret_box.encrypt(address, owner=name)
        arguments = {"owner": name, "url": MAILBOX, "address": sealed, "now": self._now}
        await self._connection.execute(_PUT, arguments)

    async def has_mailbox(self, owner: str) -> bool:
        return (await self._connection.execute(_EXISTS, {"owner": to_mailbox(owner)})).first() is not None

    async def remove(self, owner: str) -> None:
        await self._connection.execute(_REMOVE, {"owner": to_mailbox(owner)})


@dataclass(frozen=True)
class Login:
    """Who we are to a mail server that asks."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, and whom it is from; with `starttls` nothing is said in the clear."""

    host: str
    port: int
    sender: str
    starttls: bool = True
    login: Login | None = None


class MailSender:
    """Hands mail over to the server, one connection a mail; the queue's body says `subject` and `text`."""

    def __init__(self, server: MailServer, *, clock: Clock) -> None:
        self._server = server
        self._clock = clock

    async def send(self, address: str, mail_id: str, body: bytes, *, limit: RequestTimeout) -> EndpointResponse:
        """Sends `body` once, within `limit`; its answer's status is the server's reply code.

        Raises OSError where the server cannot be reached. The thread is left alone when `limit` is over: a mail that
        it hands over after that arrives, and the same id tells it from the next attempt.
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
        except smtplib.SMTPRecipientsRefused as refused:
            return next(code for code, _ in refused.recipients.values())
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
        return ACCEPTED


def _build_mail(body: bytes, mail_id: str, address: str, sender: str) -> EmailMessage:
    data: dict[str, Any] = json.loads(body)["data"]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, address, str(data["subject"])
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    mail.set_content(str(data["text"]))
    return mail
