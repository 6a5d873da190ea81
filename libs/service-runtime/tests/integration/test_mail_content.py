"""Mails with HTML and attachments, composed as they are sent, and refusals after which there is no other attempt."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest

from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.mail_content import Attachment, MailComposer, MailContent
from service_runtime.webhooks.mail_sending import MailSender
from service_runtime.webhooks.sending import EndpointResponse, RequestTimeout
from testkit.clocks import MovableClock
from testkit.mail_server import FakeMailServer

ADDRESS = "offers@alder.example"
SENDER = "offers@calloff.example"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
A_LIST = MailContent(
    "A list", "The list in text", "<p>The list in HTML</p>", (Attachment("list.xlsx", WORKBOOK, bytes(range(256))),)
)


async def send(
    port: int, data: object, *, composer: MailComposer | None = None, mail_id: UUID | None = None
) -> EndpointResponse:
    server = MailServer("127.0.0.1", port, SENDER, starttls=False, reply_to="brokerage@council.example")
    sender = MailSender(server, clock=MovableClock(), composer=composer)
    body = json.dumps({"type": "list.issued", "data": data}).encode()
    return await sender.send(ADDRESS, str(mail_id or uuid4()), body, limit=RequestTimeout(5))


async def compose_list(kind: str, composed_from: Mapping[str, Any]) -> MailContent:
    assert (kind, composed_from) == ("list.issued", {"list": "12"})
    return A_LIST


async def test_a_mail_has_a_part_in_text_and_one_in_html() -> None:
    async with FakeMailServer().run() as server:
        await send(server.port, {"subject": "An offer", "text": "Plain words", "html": "<h1>Marked words</h1>"})
    (received,) = server.find_mail(ADDRESS)
    assert received.mail.get_content_type() == "multipart/alternative"
    assert (received.text.strip(), received.html.strip()) == ("Plain words", "<h1>Marked words</h1>")


async def test_a_mail_names_who_reads_answers_and_that_a_program_has_sent_it() -> None:
    mail_id = uuid4()
    async with FakeMailServer().run() as server:
        for _ in range(2):
            await send(server.port, {"subject": "An offer", "text": "Plain words"}, mail_id=mail_id)
    mails = [received.mail for received in server.find_mail(ADDRESS)]
    assert [mail["Message-ID"] for mail in mails] == [f"<{mail_id}@calloff.example>"] * 2
    assert [mail["Auto-Submitted"] for mail in mails] == ["auto-generated"] * 2
    assert [mail["Reply-To"] for mail in mails] == ["brokerage@council.example"] * 2


async def test_a_mail_that_was_queued_by_reference_is_composed_as_it_is_sent() -> None:
    async with FakeMailServer().run() as server:
        answer = await send(server.port, {"compose": {"list": "12"}}, composer=compose_list)
    (received,) = server.find_mail(ADDRESS)
    assert answer.failure is None
    assert (received.mail["Subject"], received.text.strip()) == ("A list", "The list in text")
    assert received.attachments == {"list.xlsx": bytes(range(256))}


async def test_an_error_of_the_composer_ends_the_attempt_before_the_server_is_reached() -> None:
    async def fail(_: str, __: Mapping[str, Any]) -> MailContent:
        raise ConnectionError

    async with FakeMailServer().run() as server:
        with pytest.raises(ConnectionError):
            await send(server.port, {"compose": {"list": "12"}}, composer=fail)
    assert server.attempts == []


@pytest.mark.parametrize(("code", "is_final"), [(450, False), (550, True), (552, True)])
async def test_a_permanent_refusal_of_the_recipient_is_final_where_the_mail_says_so(code: int, is_final: bool) -> None:
    data = {"subject": "A placement", "text": "Plain words"}
    async with FakeMailServer(reply_codes={ADDRESS: code}).run() as server:
        final = await send(server.port, {**data, "refusal_is_final": True})
        other = await send(server.port, data)
    assert (final.failure, final.is_final) == (f"status {code}", is_final)
    assert (other.failure, other.is_final) == (f"status {code}", False)


@pytest.mark.parametrize(("code", "is_final"), [(451, False), (554, True)])
async def test_a_permanent_refusal_of_the_content_is_final(code: int, is_final: bool) -> None:
    data = {"subject": "A placement", "text": "Plain words", "refusal_is_final": True}
    async with FakeMailServer(data_code=code).run() as server:
        answer = await send(server.port, data)
    assert (answer.failure, answer.is_final, server.received) == (f"status {code}", is_final, [])


async def test_a_body_that_is_no_mail_is_a_failure_of_the_attempt() -> None:
    async with FakeMailServer().run() as server:
        assert (await send(server.port, None)).failure == "mail not valid"
    assert server.attempts == []
