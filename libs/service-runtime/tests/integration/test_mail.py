"""Mail: sending to a server that works, that refuses, that cannot encrypt, or that cannot be reached."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from service_runtime.webhooks.mail import Login, MailServer
from service_runtime.webhooks.mail_sending import MailSender
from service_runtime.webhooks.sending import EndpointResponse, RequestTimeout, describe_failure
from testkit.clocks import MovableClock
from testkit.mail_server import FakeMailServer, write_certificate
from testkit.running_services import find_free_port

ADDRESS = "offers@alder.example"
SENDER = "offers@calloff.example"
BODY = json.dumps({"data": {"subject": "An offer: £24", "text": "First line\n.a line with a dot\nlast"}}).encode()


LOGIN = Login("calloff", "invented for a test")


async def send(port: int, *, starttls: bool = False, login: Login | None = None) -> EndpointResponse:
    server = MailServer("127.0.0.1", port, SENDER, starttls=starttls, login=login)
    sender = MailSender(server, clock=MovableClock())
    return await sender.send(ADDRESS, str(uuid4()), BODY, limit=RequestTimeout(5))


async def test_a_mail_arrives_as_it_was_queued() -> None:
    async with FakeMailServer().run() as server:
        answer = await send(server.port)
    assert (answer.status, answer.failure) == (250, None)
    (message,) = server.find_mail(ADDRESS)
    assert (message.mail["Subject"], message.mail["To"], message.mail["From"]) == ("An offer: £24", ADDRESS, SENDER)
    assert message.text.splitlines() == ["First line", ".a line with a dot", "last"]


@pytest.mark.parametrize("code", [450, 550])
async def test_a_refusal_is_reported_by_its_code(code: int) -> None:
    async with FakeMailServer(reply_codes={ADDRESS: code}).run() as server:
        answer = await send(server.port)
    assert (answer.failure, server.received) == (f"status {code}", [])


async def test_nothing_is_sent_to_a_server_without_encryption_where_it_is_required() -> None:
    async with FakeMailServer().run() as server:
        with pytest.raises(OSError) as failed:
            await send(server.port, starttls=True)
    assert (describe_failure(failed.value), server.attempts) == ("connection failed", [])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Certificate of a mail server on this machine; the test's process trusts it."""
    file = write_certificate(tmp_path / "mail.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


async def test_the_login_is_sent_over_an_encrypted_connection(certificate: Path) -> None:
    async with FakeMailServer(certificate=certificate, login=LOGIN).run() as server:
        answer = await send(server.port, starttls=True, login=LOGIN)
    assert (answer.status, [message.encrypted for message in server.find_mail(ADDRESS)]) == (250, [True])


async def test_nothing_is_sent_to_a_server_with_an_untrusted_certificate(tmp_path: Path) -> None:
    unknown = write_certificate(tmp_path / "mail.pem")
    async with FakeMailServer(certificate=unknown, login=LOGIN).run() as server:
        with pytest.raises(OSError) as failed:
            await send(server.port, starttls=True, login=LOGIN)
    assert (describe_failure(failed.value), server.attempts) == ("tls failed", [])


@pytest.mark.parametrize("login", [Login("calloff", "another password"), None])
async def test_a_refused_login_is_reported_by_its_code(login: Login | None) -> None:
    async with FakeMailServer(login=LOGIN).run() as server:
        answer = await send(server.port, login=login)
    assert (answer.failure, server.received) == ("status 530" if login is None else "status 535", [])


def test_the_repr_of_a_server_hides_the_password() -> None:
    assert LOGIN.password not in repr(MailServer("127.0.0.1", 25, SENDER, login=LOGIN))


async def test_an_unreachable_server_is_reported_as_connection_failed() -> None:
    with pytest.raises(OSError) as failed:
        await send(find_free_port())
    assert describe_failure(failed.value) == "connection failed"
