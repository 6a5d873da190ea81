"""Requests to endpoints: which answers count, and which addresses are never connected to."""

import asyncio
from socket import AF_INET

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from contracts.errors import InvalidInput
from service_runtime.webhooks.addresses import AddressRules
from testkit.webhook_receiver import answer_with
from testkit.webhooks import WebhookHarness


async def test_a_redirect_is_a_failure_and_is_not_followed(harness: WebhookHarness) -> None:
    harness.receiver.answers["/ok"] = answer_with(302, Location=f"http://{harness.receiver.address}/elsewhere")
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_attempted(1)
    assert harness.receiver.list_received("/elsewhere") == []
    [logged] = await harness.load_log()
    assert logged.failure == "status 302"


async def test_a_2xx_counts_however_slowly_its_body_follows(harness: WebhookHarness) -> None:
    async def send_headers_only(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    harness.receiver.answers["/ok"] = send_headers_only
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")


async def test_an_endless_body_is_not_read(harness: WebhookHarness) -> None:
    async def send_endless_body(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    harness.receiver.answers["/ok"] = send_endless_body
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine():
        await harness.wait_until_stored("Alder has O-1")


class Rebinding(AbstractResolver):
    """A name that points at the machine itself."""

    async def resolve(self, host: str, port: int = 0, family: int = AF_INET) -> list[ResolveResult]:
        found = ResolveResult(hostname=host, host="127.0.0.1", port=port, family=AF_INET, proto=0, flags=0)
        return [found, found]

    async def close(self) -> None: ...


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "rebound.example", "localhost"])
async def test_nothing_connects_to_a_private_address(harness: WebhookHarness, host: str) -> None:
    connected = 0

    def count_connection(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        writer.close()

    resolver = Rebinding() if host == "rebound.example" else None
    async with await asyncio.start_server(count_connection, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await harness.put_endpoint("Alder", f"https://{host}:{port}/", rules=AddressRules([f"{host}:{port}"]))
        await harness.queue_webhooks("O-1")
        async with harness.run_engine(rules=AddressRules(), resolver=resolver):
            await harness.wait_until_attempted(1)
    [logged] = await harness.load_log()
    assert logged.failure == "address refused"
    assert connected == 0


async def test_a_private_url_is_refused_when_it_is_registered(harness: WebhookHarness) -> None:
    with pytest.raises(InvalidInput, match="public internet"):
        await harness.put_endpoint("Alder", "https://10.0.0.1/hooks")


async def test_an_unreachable_endpoint_is_a_failure_in_closed_words(
    harness: WebhookHarness, unused_tcp_port: int
) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    await harness.put_endpoint("Alder", f"http://{address}/", rules=AddressRules([address]))
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(rules=AddressRules([address])):
        await harness.wait_until_attempted(1)
    [logged] = await harness.load_log()
    assert logged.failure == "connection failed"
