"""The mail sink takes mail over TLS only, and shows it."""

import smtplib
import ssl
from asyncio import to_thread
from email.message import EmailMessage
from pathlib import Path

import pytest

from devstack.compose.certificate import generate_certificate
from devstack.compose.mail_sink import Mailbox, create_smtp_context, start_smtp
from testkit.running_services import find_free_port


def build_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "calloff@example.org", "office@example.org", "An offer"
    mail.set_content("Behind this link: http://127.0.0.1:8102/o/abc")
    return mail


def send_mail(port: int, certificate: str | None) -> None:
    with smtplib.SMTP("localhost", port) as client:
        if certificate is not None:
            client.starttls(context=ssl.create_default_context(cadata=certificate))
        client.send_message(build_mail())


async def test_a_mail_over_tls_is_kept_and_shown(tmp_path: Path) -> None:
    generated, mailbox, port = generate_certificate("localhost"), Mailbox(), find_free_port()
    file = tmp_path / "certificate.pem"
    file.write_text(generated.private_key + generated.certificate)
    async with await start_smtp(mailbox, create_smtp_context(file), host="127.0.0.1", port=port):
        await to_thread(send_mail, port, generated.certificate)
        with pytest.raises(smtplib.SMTPException):
            await to_thread(send_mail, port, None)
    shown = mailbox.format_mails()
    assert "Subject: An offer" in shown
    assert shown.count("Behind this link: http://127.0.0.1:8102/o/abc") == 1
