"""A mail server that listens, for tests: it keeps what it accepts, and replies as it was told."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from service_runtime.testing.services import free_port


@dataclass(frozen=True)
class Letter:
    """One mail as it was handed over."""

    recipient: str
    mail: EmailMessage

    @property
    def text(self) -> str:
        return str(self.mail.get_content())


@dataclass
class MailServerInTest:
    """Accepts mail for everybody but `refused`, who get the reply code that stands there."""

    port: int = field(default_factory=free_port)
    refused: dict[str, int] = field(default_factory=dict[str, int])
    letters: list[Letter] = field(default_factory=list[Letter])
    attempts: list[str] = field(default_factory=list[str])

    def to(self, recipient: str) -> list[Letter]:
        return [each for each in self.letters if each.recipient == recipient]

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["MailServerInTest"]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        async with server:
            yield self

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = line.decode().split("<")[1].split(">")[0]
                self.attempts.append(recipient)
                writer.write(f"{self.refused.get(recipient, 250)} recipient\r\n".encode())
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                self.letters.append(Letter(recipient, _parsed(await reader.readuntil(b"\r\n.\r\n"))))
                writer.write(b"250 accepted\r\n")
            else:
                writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 yes\r\n")
            if verb == b"QUIT":
                break
        writer.close()


def _parsed(data: bytes) -> EmailMessage:
    whole = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
    return message_from_bytes(whole, _class=EmailMessage, policy=policy.default)
