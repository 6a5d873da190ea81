"""Mail handed over to a real server, and to one that is not there or not safe."""

import json
from uuid import uuid4

import pytest

from service_runtime.testing.clocks import MovableClock
from service_runtime.testing.mail import MailServerInTest
from service_runtime.testing.services import free_port
from service_runtime.webhooks.mail import MailSender, MailServer
from service_runtime.webhooks.sending import Answer, Limit, failure_of

ADDRESS = "offers@alder.example"
SENDER = "offers@calloff.example"
BODY = json.dumps({"data": {"subject": "An offer: £24", "text": "First line\n.a line with a dot\nlast"}}).encode()


async def send(port: int, *, starttls: bool = False) -> Answer:
    sender = MailSender(MailServer("127.0.0.1", port, SENDER, starttls=starttls), clock=MovableClock())
    return await sender.send(ADDRESS, str(uuid4()), BODY, limit=Limit(5))


async def test_a_mail_arrives_as_it_was_queued() -> None:
    async with MailServerInTest().listening() as server:
        answer = await send(server.port)
    assert (answer.status, answer.failure) == (250, None)
    (letter,) = server.to(ADDRESS)
    assert (letter.mail["Subject"], letter.mail["To"], letter.mail["From"]) == ("An offer: £24", ADDRESS, SENDER)
    assert letter.text.splitlines() == ["First line", ".a line with a dot", "last"]


@pytest.mark.parametrize("code", [450, 550])
async def test_a_refusal_is_told_by_its_code(code: int) -> None:
    async with MailServerInTest(refused={ADDRESS: code}).listening() as server:
        answer = await send(server.port)
    assert (answer.failure, server.letters) == (f"status {code}", [])


async def test_a_server_that_cannot_encrypt_is_told_nothing_where_it_should() -> None:
    async with MailServerInTest().listening() as server:
        with pytest.raises(OSError) as failed:
            await send(server.port, starttls=True)
    assert (failure_of(failed.value), server.attempts) == ("connection failed", [])


async def test_a_server_that_is_not_there_is_told_in_closed_words() -> None:
    with pytest.raises(OSError) as failed:
        await send(free_port())
    assert failure_of(failed.value) == "connection failed"
