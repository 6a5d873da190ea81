"""Mail sender: submits each mail to the mail server over SMTP, in a thread that a slow server does not keep."""

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from socket import SHUT_RDWR
from typing import Final

from service_runtime.clock import Clock
from service_runtime.webhooks.bounded_threads import BoundedThreads, ThreadsBusy
from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.mail_content import MailComposer, QueuedMail, build_mail, read_queued_mail
from service_runtime.webhooks.sending import ANSWER_NOT_UNDERSTOOD, REQUEST_TIMEOUT, EndpointResponse, RequestTimeout

ACCEPTED: Final = 250
MAIL_NOT_VALID: Final = "mail not valid"
MAIL_SERVER_BUSY: Final = "mail server busy"
MAX_SUBMISSIONS: Final = 8
"""Mails that are submitted at a time."""
MAX_WAIT: Final = 5.0
"""Seconds that a mail waits for a thread; less than the timeout of a request."""


class MailSender:
    """Submits mail to the server, one connection for each; `composer` makes the content of mails queued without it."""

    def __init__(self, server: MailServer, *, clock: Clock, composer: MailComposer | None = None) -> None:
        self._server = server
        self._composer = composer
        self._clock = clock
        self._threads = BoundedThreads("mail", limit=MAX_SUBMISSIONS, max_wait=MAX_WAIT)

    async def send(self, address: str, mail_id: str, body: bytes, *, limit: RequestTimeout) -> EndpointResponse:
        """Sends `body` once, within `limit`; the response's status is the server's reply code.

        Raises OSError if the server cannot be reached, and what the composer raises. The connection is closed at
        `limit`, but the mail may have arrived; the next attempt has the same Message-ID.
        """
        try:
            queued = read_queued_mail(body)
        except Exception:  # noqa: BLE001  whatever the body is instead
            return EndpointResponse(None, self._clock.now(), MAIL_NOT_VALID)
        async with limit:
            return await self._submit(queued, mail_id, address)

    async def _submit(self, queued: QueuedMail, mail_id: str, address: str) -> EndpointResponse:
        content = await queued.compose(self._composer)
        try:
            mail = build_mail(content, mail_id, address, self._server)
        except Exception:  # noqa: BLE001  the library raises errors of many kinds for an address or a subject
            return EndpointResponse(None, self._clock.now(), MAIL_NOT_VALID, is_final=queued.refusal_is_final)
        submission = SmtpSubmission(self._server, mail)
        try:
            reply = await self._threads.run(submission.submit)
        except ThreadsBusy:
            return EndpointResponse(None, self._clock.now(), MAIL_SERVER_BUSY)
        finally:
            submission.abort()
        is_final = reply.is_permanent and queued.refusal_is_final
        return EndpointResponse(reply.code, self._clock.now(), reply.failure, is_final=is_final)


@dataclass(frozen=True)
class Reply:
    """What became of a mail: the server's reply code if it has one, and the failure, None if the mail was accepted.

    A refusal is permanent if the server refuses this recipient or this content with a code of 500 or more. Refusals
    of the connection, the login or the sender are ours to mend.
    """

    code: int | None
    failure: str | None
    is_permanent: bool = False


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
            return _build_refusal(*(code for code, _ in error.recipients.values()), may_be_permanent=True)
        except smtplib.SMTPDataError as error:
            return _build_refusal(error.smtp_code, may_be_permanent=True)
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


def _build_refusal(*codes: int, may_be_permanent: bool = False) -> Reply:
    """Any reply that ended the submission is a refusal, even if its code begins with a 2."""
    code = next((code for code in codes if 100 <= code <= 999), None)
    if code is None:
        return Reply(None, ANSWER_NOT_UNDERSTOOD)
    return Reply(code, f"status {code}", is_permanent=may_be_permanent and 500 <= code <= 599)
