"""Webhooks through an egress proxy: address rules first, then CONNECT to the checked address, TLS end to end."""

import base64
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from pydantic import SecretStr

from service_runtime.webhooks.addresses import AddressRules
from service_runtime.webhooks.egress import EgressProxy, EgressProxyInvalid
from testkit.connect_proxy import ConnectProxy
from testkit.mail_server import write_certificate
from testkit.webhooks import WebhookHarness

NAME, PUBLIC, PRIVATE = "alder.example", "93.184.215.14", "10.0.0.7"
URL = f"https://{NAME}:8443/webhooks"


@dataclass
class Resolver(AbstractResolver):
    """Resolves every name to these addresses."""

    addresses: tuple[str, ...]

    async def resolve(self, host: str, port: int = 0, family: int = AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=each, port=port, family=AF_INET, proto=0, flags=0)
            for each in self.addresses
        ]

    async def close(self) -> None: ...


@dataclass
class Egress:
    """A proxy that leads every tunnel to a receiver whose certificate is for NAME."""

    harness: WebhookHarness
    proxy: ConnectProxy
    trusted: ssl.SSLContext
    credentials: str = ""

    async def send_one(self, *addresses: str, url: str = URL) -> str | None:
        """Sends a webhook to `url`, whose name has these addresses; returns the failure of the first attempt."""
        await self.harness.put_endpoint("Alder", url, rules=AddressRules(["10.0.0.7:8443", "localhost:8443"]))
        await self.harness.queue_webhooks("O-1")
        proxy = EgressProxy(SecretStr(f"http://{self.credentials}{self.proxy.address}"))
        async with self.harness.run_engine(
            rules=AddressRules(), egress_proxy=proxy, tls=self.trusted, resolver=Resolver(addresses)
        ):
            await self.harness.wait_until_attempted(1)
        return (await self.harness.load_log())[0].attempts[0].failure


@pytest_asyncio.fixture
async def egress(harness: WebhookHarness, tmp_path: Path) -> AsyncGenerator[Egress]:
    certificate = write_certificate(tmp_path / "certificate.pem", name=NAME)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(certificate)
    app = web.Application()
    app.router.add_post("/{path:.*}", harness.receiver.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=served).start()
    async with ConnectProxy(*runner.addresses[0]).run() as proxy:
        yield Egress(harness, proxy, ssl.create_default_context(cafile=certificate))
    await runner.cleanup()


async def test_the_proxy_is_asked_for_the_checked_address_and_the_endpoint_is_verified_by_name(egress: Egress) -> None:
    assert await egress.send_one(PUBLIC) is None
    assert egress.proxy.targets == [f"{PUBLIC}:8443"]
    (received,) = egress.harness.receiver.accepted
    assert received.headers["host"] == f"{NAME}:8443"


@pytest.mark.parametrize("addresses", [(PRIVATE,), (PUBLIC, PRIVATE), ("127.0.0.1",), ("169.254.169.254",)])
async def test_a_private_target_is_refused_though_the_proxy_could_reach_it(
    egress: Egress, addresses: tuple[str, ...]
) -> None:
    assert await egress.send_one(*addresses) == "address refused"
    assert egress.proxy.requests == []


async def test_a_private_address_in_the_url_is_refused(egress: Egress) -> None:
    assert await egress.send_one(PRIVATE, url=f"https://{PRIVATE}:8443/") == "address refused"
    assert egress.proxy.requests == []


async def test_a_certificate_for_another_name_is_refused(egress: Egress) -> None:
    assert await egress.send_one(PUBLIC, url="https://birch.example:8443/") == "tls failed"
    assert egress.harness.receiver.received == []


async def test_the_proxy_gets_the_credentials_and_the_endpoint_does_not(egress: Egress) -> None:
    egress.credentials = "calloff:word@"
    assert await egress.send_one(PUBLIC) is None
    expected = f"Proxy-Authorization: Basic {base64.b64encode(b'calloff:word').decode()}"
    assert expected in egress.proxy.requests[0]
    assert "proxy-authorization" not in egress.harness.receiver.accepted[0].headers


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("403 Forbidden", "proxy refused"),
        ("407 Proxy Authentication Required", "proxy refused"),
        ("502 Bad Gateway", "connection failed"),
    ],
)
async def test_a_refusal_of_the_proxy_is_told_from_a_failure_of_the_endpoint(
    egress: Egress, status: str, failure: str
) -> None:
    egress.proxy.status = status
    assert await egress.send_one(PUBLIC) == failure


async def test_addresses_that_the_operator_listed_are_reached_without_the_proxy(egress: Egress) -> None:
    harness = egress.harness
    await harness.put_endpoint("Alder")
    await harness.queue_webhooks("O-1")
    async with harness.run_engine(egress_proxy=EgressProxy(SecretStr("http://127.0.0.1:9"))):
        await harness.wait_until_stored("Alder has O-1")


@pytest.mark.parametrize(
    "url", ["proxy:3128", "http://proxy", "socks5://proxy:1080", "http://user:word@:1", "http://p:x"]
)
def test_a_proxy_that_is_no_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(EgressProxyInvalid) as refusal:
        EgressProxy(SecretStr(url))
    assert url not in str(refusal.value)
