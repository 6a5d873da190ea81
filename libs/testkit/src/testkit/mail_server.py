"""An SMTP server for tests that stores the mail it accepts and replies with the codes that a test sets."""

import asyncio
import base64
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service_runtime.webhooks.mail import Login
from testkit.running_services import find_free_port

_MAX_MAIL: Final = 20_000_000


@dataclass(frozen=True)
class ReceivedMail:
    """One accepted mail; `encrypted` tells whether it arrived over TLS."""

    recipient: str
    mail: EmailMessage
    encrypted: bool = False

    @property
    def text(self) -> str:
        return _read_part(self.mail, "plain")

    @property
    def html(self) -> str:
        return _read_part(self.mail, "html")

    @property
    def attachments(self) -> dict[str, bytes]:
        """The contents of the attached files by name."""
        return {str(part.get_filename()): part.get_content() for part in self.mail.iter_attachments()}


@dataclass
class FakeMailServer:
    """An SMTP server that accepts all mail, except to recipients with another reply code in `reply_codes`.

    With a `certificate` (a PEM file that contains the key) it offers STARTTLS. With a `login` it accepts mail only
    after authentication with it and, if it has a certificate, offers authentication only over TLS.
    """

    port: int = field(default_factory=find_free_port)
    reply_codes: dict[str, int] = field(default_factory=dict[str, int])
    data_code: int = 250
    """The reply to the content of every mail; another one than 250 refuses it."""
    certificate: Path | None = None
    login: Login | None = None
    received: list[ReceivedMail] = field(default_factory=list[ReceivedMail])
    attempts: list[str] = field(default_factory=list[str])

    def find_mail(self, recipient: str) -> list[ReceivedMail]:
        return [mail for mail in self.received if mail.recipient == recipient]

    @asynccontextmanager
    async def run(self) -> AsyncGenerator["FakeMailServer"]:
        server = await asyncio.start_server(self._handle_connection, "127.0.0.1", self.port, limit=_MAX_MAIL)
        async with server:
            yield self

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _SmtpSession(self, reader, writer).run()
        writer.close()


@dataclass
class _SmtpSession:
    """One SMTP session: reads the client's commands and replies to each."""

    server: FakeMailServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    encrypted: bool = False
    authenticated: bool = False
    recipient: str = ""

    async def run(self) -> None:
        self._reply("220 test")
        while line := await self.reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            await self._handle_command(verb.upper(), rest)
            if verb.upper() == "QUIT":
                break

    async def _handle_command(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO":
                self._reply("250-test", *self._list_extensions(), "250 yes")
            case "STARTTLS" if self.server.certificate is not None:
                await self._encrypt(self.server.certificate)
            case "AUTH":
                self._reply(self._authenticate(rest))
            case "MAIL" if self.server.login is not None and not self.authenticated:
                self._reply("530 authentication required")
            case "RCPT":
                self._reply(self._handle_recipient(rest))
            case "DATA":
                await self._receive_mail()
            case _:
                self._reply("221 bye" if verb == "QUIT" else "250 yes")

    def _reply(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    def _list_extensions(self) -> list[str]:
        can_encrypt = self.server.certificate is not None and not self.encrypted
        can_authenticate = self.server.login is not None and not can_encrypt
        return [*(["250-STARTTLS"] if can_encrypt else []), *(["250-AUTH PLAIN"] if can_authenticate else [])]

    async def _encrypt(self, certificate: Path) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._reply("220 go on")
        await self.writer.start_tls(context)
        self.encrypted = True

    def _authenticate(self, argument: str) -> str:
        login = self.server.login
        _, username, password = base64.b64decode(argument.partition(" ")[2]).decode().split("\0")
        self.authenticated = login is not None and (username, password) == (login.username, login.password)
        return "235 authenticated" if self.authenticated else "535 authentication failed"

    def _handle_recipient(self, argument: str) -> str:
        self.recipient = argument.split("<")[1].split(">", maxsplit=1)[0]
        self.server.attempts.append(self.recipient)
        return f"{self.server.reply_codes.get(self.recipient, 250)} recipient"

    async def _receive_mail(self) -> None:
        self._reply("354 go on")
        mail = _parse_mail(await self.reader.readuntil(b"\r\n.\r\n"))
        if self.server.data_code != 250:
            self._reply(f"{self.server.data_code} refused")
            return
        self.server.received.append(ReceivedMail(self.recipient, mail, self.encrypted))
        self._reply("250 accepted")


def _read_part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None, f"the mail has no part in {subtype}"
    return str(part.get_content())


def _parse_mail(data: bytes) -> EmailMessage:
    whole = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    return message_from_bytes(whole, _class=EmailMessage, policy=policy.default)


def write_certificate(file: Path, *, name: str | None = None) -> Path:
    """Writes a self-signed certificate for 127.0.0.1, or for a host name, and its key into `file`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "invented for a test")])
    host = x509.IPAddress(ip_address("127.0.0.1")) if name is None else x509.DNSName(name)
    certificate = (
        x509.CertificateBuilder(subject_name=subject, issuer_name=subject, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
