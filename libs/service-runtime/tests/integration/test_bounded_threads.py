"""Hanging name servers and mail servers: they keep their own threads only, and only for a while."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from service_runtime.webhooks.bounded_threads import BoundedThreads, ThreadsBusy
from service_runtime.webhooks.mail import MailServer
from service_runtime.webhooks.mail_content import MailContent, build_mail
from service_runtime.webhooks.mail_sending import SmtpSubmission
from service_runtime.webhooks.resolver import Addresses, BoundedResolver
from testkit.waiting import wait_until
from testkit.webhooks import WebhookHarness


class HangingNameServer:
    """Looks names up without end until `opened` is set."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.asked: list[str] = []

    def look_up(self, host: str, port: int, family: int) -> Addresses:
        del family
        self.asked.append(host)
        self.opened.wait()
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest_asyncio.fixture
async def name_server() -> AsyncGenerator[HangingNameServer]:
    server = HangingNameServer()
    yield server
    server.opened.set()


async def test_a_name_that_hangs_occupies_one_thread_however_often_it_is_asked(name_server: HangingNameServer) -> None:
    resolver = BoundedResolver(name_server.look_up, threads=2, timeout_seconds=0.05)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await resolver.resolve("alder.example", 443)
    assert name_server.asked == ["alder.example"]


async def test_a_call_without_a_free_thread_is_refused_and_the_default_pool_stays_free(
    name_server: HangingNameServer,
) -> None:
    threads = BoundedThreads("test", limit=1, max_wait=0.05)
    first = asyncio.create_task(threads.run(lambda: name_server.look_up("alder.example", 443, 0)))
    await wait_until(lambda: name_server.asked)
    with pytest.raises(ThreadsBusy):
        await threads.run(lambda: None)
    assert await asyncio.to_thread(lambda: 7) == 7
    name_server.opened.set()
    await first
    assert await threads.run(lambda: 8) == 8


async def test_webhooks_to_addresses_and_commands_go_on_while_every_name_hangs(
    harness: WebhookHarness, name_server: HangingNameServer
) -> None:
    await harness.put_endpoint("Alder", "https://alder.example/")
    await harness.put_endpoint("Birch")
    resolver = BoundedResolver(name_server.look_up, threads=1, timeout_seconds=0.2)
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(resolver=resolver):
        await wait_until(lambda: name_server.asked)
        await harness.queue_webhooks("B-1", to="Birch")
        await harness.wait_until_stored("Birch has B-1")
        await harness.wait_until_attempted(1)
    [logged] = await harness.load_log()
    assert logged.attempts[0].failure == "timed out"


async def test_an_aborted_submission_frees_its_thread_though_the_mail_server_hangs() -> None:
    connected = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        mail_server = MailServer("127.0.0.1", port, "b@calloff.example", starttls=False)
        mail = build_mail(MailContent("s", "t"), "1", "a@alder.example", mail_server)
        submission = SmtpSubmission(mail_server, mail)
        running = asyncio.create_task(BoundedThreads("mail", limit=1, max_wait=1).run(submission.submit))
        await connected.wait()
        await wait_until(lambda: submission.sock is not None)
        submission.abort()
        with pytest.raises(OSError):
            await running
