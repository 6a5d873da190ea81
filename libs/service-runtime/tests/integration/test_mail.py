"""Mail handed over to a real server, and to one that is not there or not safe."""

import json
from pathlib import Path
from uuid import uuid4

import pytest

from service_runtime.webhooks.mail import Login, MailSender, MailServer
from service_runtime.webhooks.sending import EndpointResponse, RequestTimeout, describe_failure
from testkit.clocks import MovableClock
from testkit.mail_server import MailServerInTest, a_certificate
from testkit.running_services import free_port

ADDRESS = "offers@alder.example"
SENDER = "offers@calloff.example"
BODY = json.dumps({"data": {"subject": "An offer: £24", "text": "First line\n.a line with a dot\nlast"}}).encode()


LOGIN = Login("calloff", "invented for a test")


async def send(port: int, *, starttls: bool = False, login: Login | None = None) -> EndpointResponse:
    server = MailServer("127.0.0.1", port, SENDER, starttls=starttls, login=login)
    sender = MailSender(server, clock=MovableClock())
    return await sender.send(ADDRESS, str(uuid4()), BODY, limit=RequestTimeout(5))


async def test_a_mail_arrives_as_it_was_queued() -> None:
    async with MailServerInTest().run() as server:
        answer = await send(server.port)
    assert (answer.status, answer.failure) == (250, None)
    (letter,) = server.to(ADDRESS)
    assert (letter.mail["Subject"], letter.mail["To"], letter.mail["From"]) == ("An offer: £24", ADDRESS, SENDER)
    assert letter.text.splitlines() == ["First line", ".a line with a dot", "last"]


@pytest.mark.parametrize("code", [450, 550])
async def test_a_refusal_is_told_by_its_code(code: int) -> None:
    async with MailServerInTest(refused={ADDRESS: code}).run() as server:
        answer = await send(server.port)
    assert (answer.failure, server.received) == (f"status {code}", [])


async def test_a_server_that_cannot_encrypt_is_told_nothing_where_it_should() -> None:
    async with MailServerInTest().run() as server:
        with pytest.raises(OSError) as failed:
            await send(server.port, starttls=True)
    assert (describe_failure(failed.value), server.attempts) == ("connection failed", [])


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a mail server on this machine, and trusted here."""
    file = a_certificate(tmp_path / "mail.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


async def test_who_we_are_is_said_once_nobody_else_can_hear_it(certificate: Path) -> None:
    async with MailServerInTest(certificate=certificate, login=LOGIN).run() as server:
        answer = await send(server.port, starttls=True, login=LOGIN)
    assert (answer.status, [each.encrypted for each in server.to(ADDRESS)]) == (250, [True])


async def test_a_server_with_a_certificate_that_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
    unknown = a_certificate(tmp_path / "mail.pem")
    async with MailServerInTest(certificate=unknown, login=LOGIN).run() as server:
        with pytest.raises(OSError) as failed:
            await send(server.port, starttls=True, login=LOGIN)
    assert (describe_failure(failed.value), server.attempts) == ("tls failed", [])


@pytest.mark.parametrize("login", [Login("calloff", "another password"), None])
async def test_a_server_that_does_not_know_us_is_told_of_by_its_code(login: Login | None) -> None:
    async with MailServerInTest(login=LOGIN).run() as server:
        answer = await send(server.port, login=login)
    assert (answer.failure, server.received) == ("status 530" if login is None else "status 535", [])


def test_a_password_is_not_told() -> None:
    assert LOGIN.password not in repr(MailServer("127.0.0.1", 25, SENDER, login=LOGIN))


async def test_a_server_that_is_not_there_is_told_in_closed_words() -> None:
    with pytest.raises(OSError) as failed:
        await send(free_port())
    assert describe_failure(failed.value) == "connection failed"
