"""Mail sender: submits each mail to the mail server over SMTP, in a thread that a slow server does not keep."""

import json
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from socket import SHUT_RDWR
from typing import Any, Final

from service_runtime.clock import Clock
from service_runtime.webhooks.bounded_threads import BoundedThreads, ThreadsBusy
from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.sending import ANSWER_NOT_UNDERSTOOD, REQUEST_TIMEOUT, EndpointResponse, RequestTimeout

ACCEPTED: Final = 250
MAIL_NOT_VALID: Final = "mail not valid"
MAIL_SERVER_BUSY: Final = "mail server busy"
MAX_SUBMISSIONS: Final = 8
"""Mails that are submitted at a time."""
MAX_WAIT: Final = 5.0
"""Seconds that a mail waits for a thread; less than the timeout of a request."""


class MailSender:
    """Submits mail to the server, one connection for each; the queued body contains `subject` and `text`."""

    def __init__(self, server: MailServer, *, clock: Clock) -> None:
        self._server = server
        self._clock = clock
        self._threads = BoundedThreads("mail", limit=MAX_SUBMISSIONS, max_wait=MAX_WAIT)

    async def send(self, address: str, mail_id: str, body: bytes, *, limit: RequestTimeout) -> EndpointResponse:
        """Sends `body` once, within `limit`; the response's status is the server's reply code.

        Raises OSError if the server cannot be reached. The connection is closed at `limit`, but the mail may have
        arrived; the next attempt has the same Message-ID, so that receivers recognise the duplicate.
        """
        try:
            mail = build_mail(body, mail_id, address, self._server.sender)
        except Exception:  # noqa: BLE001  the library raises errors of many kinds for an address or a subject
            return EndpointResponse(None, self._clock.now(), MAIL_NOT_VALID)
        submission = SmtpSubmission(self._server, mail)
        try:
            async with limit:
                reply = await self._threads.run(submission.submit)
        except ThreadsBusy:
            return EndpointResponse(None, self._clock.now(), MAIL_SERVER_BUSY)
        finally:
            submission.abort()
        return EndpointResponse(reply.code, self._clock.now(), reply.failure)


@dataclass(frozen=True)
class Reply:
    """What became of a mail: the server's reply code if it has one, and the failure, None if the mail was accepted."""

    code: int | None
    failure: str | None


class SmtpSubmission(smtplib.SMTP):
    """One connection for one mail."""

    def __init__(self, server: MailServer, mail: EmailMessage) -> None:
        # The base class connects as it is initialised, which `submit` does in its thread.
        self._server = server
        self._mail = mail
        self._is_aborted = False

    def submit(self) -> Reply:
        """Submits the mail. Raises OSError if the server cannot be reached, or closes the connection."""
        try:
            super().__init__(self._server.host, self._server.port, timeout=REQUEST_TIMEOUT)
            if self._server.starttls:
                self.starttls(context=ssl.create_default_context())
            if self._server.login is not None:
                self.login(self._server.login.username, self._server.login.password)
            self.send_message(self._mail)
        except smtplib.SMTPRecipientsRefused as error:
            return _build_refusal(*(code for code, _ in error.recipients.values()))
        except smtplib.SMTPResponseException as error:
            return _build_refusal(error.smtp_code)
        except OSError:
            raise
        except Exception:  # noqa: BLE001  smtplib raises errors of many kinds for what a server may reply
            return Reply(None, ANSWER_NOT_UNDERSTOOD)
        finally:
            self._hang_up()
        return Reply(ACCEPTED, None)

    def abort(self) -> None:
        """Closes the connection, so that the thread ends however slowly the server replies."""
        self._is_aborted = True
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(SHUT_RDWR)

    def getreply(self) -> tuple[int, bytes]:
        """Reads a reply; after `abort` it raises SMTPServerDisconnected."""
        if self._is_aborted:
            message = "the submission was aborted"
            raise smtplib.SMTPServerDisconnected(message)
        return super().getreply()

    def _hang_up(self) -> None:
        """Ends the session without waiting for the reply, which does not change what became of the mail."""
        if self.sock is not None:
            with suppress(OSError):
                self.putcmd("quit")
            with suppress(OSError):
                self.close()


def _build_refusal(*codes: int) -> Reply:
    """Any reply that ended the submission is a refusal, even if its code begins with a 2."""
    code = next((code for code in codes if 100 <= code <= 999), None)
    return Reply(code, ANSWER_NOT_UNDERSTOOD if code is None else f"status {code}")


def build_mail(body: bytes, mail_id: str, address: str, sender: str) -> EmailMessage:
    """Builds the mail from the queued body. Raises errors of many kinds for what a mail cannot contain."""
    data: dict[str, Any] = json.loads(body)["data"]
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, address, str(data["subject"])
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    mail.set_content(str(data["text"]))
    return mail
