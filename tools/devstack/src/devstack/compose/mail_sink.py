"""A mail server that delivers nothing and shows what it got: `python -m devstack.compose.mail_sink`.

For trying out only. SMTP with STARTTLS on port 1025; the newest mails, links and all, at http://…:8080/. They are kept
in memory.
"""

import asyncio
import ssl
from collections import deque
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

from devstack.compose.folders import ANY_HOST, CERTIFICATE, HTTP_PORT, MAIL, find_volumes
from devstack.compose.program import answer_ready, wait_for_end
from devstack.issuer.server import serve_app

SMTP_PORT: Final = 1025
KEPT_MAILS: Final = 200


class Mailbox:
    """The newest mails, whomever they are for."""

    def __init__(self) -> None:
        self._mails: deque[EmailMessage] = deque(maxlen=KEPT_MAILS)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """Called by aiosmtpd for each mail; the name and the arguments are its own."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._mails.append(message_from_bytes(content, _class=EmailMessage, policy=policy.default))
        return "250 Kept; nothing is delivered"

    def format_mails(self) -> str:
        """All kept mails as text, the newest first."""
        texts = [_format_mail(mail) for mail in reversed(self._mails)]
        return ("\n" + "=" * 80 + "\n").join(texts) or "No mail yet.\n"

    async def show(self, _: web.Request) -> web.Response:
        return web.Response(text=self.format_mails())


def _format_mail(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    headers = "".join(f"{name}: {mail[name]}\n" for name in ("Date", "From", "To", "Subject"))
    return f"{headers}\n{body.get_content() if body is not None else ''}"


def create_smtp_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def start_smtp(mailbox: Mailbox, context: ssl.SSLContext, *, host: str, port: int) -> asyncio.Server:
    """Starts the mail server; it takes mail over TLS only."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(mailbox, tls_context=context, require_starttls=True, hostname=MAIL, ident="Mail sink"), host, port
    )


async def serve() -> None:
    mailbox = Mailbox()
    app = web.Application()
    app.add_routes([web.get("/", mailbox.show), web.get("/readyz", answer_ready)])
    context = create_smtp_context(find_volumes() / MAIL / CERTIFICATE)
    async with (
        await start_smtp(mailbox, context, host=ANY_HOST, port=SMTP_PORT),
        serve_app(app, HTTP_PORT, host=ANY_HOST),
    ):
        await wait_for_end()


if __name__ == "__main__":
    asyncio.run(serve())
