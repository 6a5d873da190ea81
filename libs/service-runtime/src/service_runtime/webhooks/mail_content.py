"""Content of mails: as it was queued, or composed by the service as the mail is sent.

A queued body carries `subject`, `text` and perhaps `html`. What is large, or the same for many mails, is queued as
`compose`: what the service's composer makes the content of, at every attempt anew.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

from service_runtime.webhooks.mail import MailServer

COMPOSE: Final = "compose"
REFUSAL_IS_FINAL: Final = "refusal_is_final"


@dataclass(frozen=True)
class Attachment:
    """A file; `content_type` is `type/subtype`."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class MailContent:
    """What a mail says, in text and in HTML, with its attachments."""

    subject: str
    text: str
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()


# Any: what the service has queued, as JSON.
MailComposer = Callable[[str, Mapping[str, Any]], Awaitable[MailContent]]
"""Composes the content of a mail of a kind from what was queued as `compose`."""


@dataclass(frozen=True)
class QueuedMail:
    """A mail as it was queued. With `refusal_is_final` a permanent refusal ends the attempts."""

    kind: str
    content: MailContent | Mapping[str, Any]
    """What the composer makes the content of, if it was not queued."""
    refusal_is_final: bool

    async def compose(self, composer: MailComposer | None) -> MailContent:
        """Returns the content. Raises what the composer raises, and LookupError without a composer."""
        if isinstance(self.content, MailContent):
            return self.content
        if composer is None:
            message = f"a mail {self.kind} is composed as it is sent; give the webhook configuration a composer"
            raise LookupError(message)
        return await composer(self.kind, self.content)


def read_queued_mail(body: bytes) -> QueuedMail:
    """Reads a queued body. Raises errors of several kinds for one that is no mail."""
    queued: dict[str, Any] = json.loads(body)
    data: dict[str, Any] = queued["data"]
    content = data[COMPOSE] if COMPOSE in data else _read_content(data)
    return QueuedMail(str(queued.get("type", "")), content, data.get(REFUSAL_IS_FINAL) is True)


def _read_content(data: Mapping[str, Any]) -> MailContent:
    html = data.get("html")
    return MailContent(str(data["subject"]), str(data["text"]), None if html is None else str(html))


def build_mail(content: MailContent, mail_id: str, address: str, server: MailServer) -> EmailMessage:
    """Builds the mail. Raises errors of many kinds for what a mail cannot contain.

    The Message-ID is the same at every attempt, so that receivers recognise a duplicate. No out-of-office reply is
    sent to a mail that says it was submitted by a program (RFC 3834).
    """
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = server.sender, address, content.subject
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{mail_id}@{server.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    if server.reply_to is not None:
        mail["Reply-To"] = server.reply_to
    mail.set_content(content.text)
    if content.html is not None:
        mail.add_alternative(content.html, subtype="html")
    for each in content.attachments:
        kind, _, subtype = each.content_type.partition("/")
        mail.add_attachment(each.content, maintype=kind, subtype=subtype, filename=each.name)
    return mail
