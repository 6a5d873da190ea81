"""Webhook sender: one signed request to a public address, without redirects, within a timeout."""

import asyncio
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPServerDisconnected
from types import TracebackType
from typing import Final, Self

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    ServerDisconnectedError,
    TCPConnector,
)
from aiohttp.abc import AbstractResolver
from yarl import URL

from service_runtime.clock import Clock
from service_runtime.webhooks.addresses import AddressRefused, AddressRules, open_public_socket
from service_runtime.webhooks.bounded_threads import ThreadsBusy
from service_runtime.webhooks.egress import EgressProxy, EgressResolver
from service_runtime.webhooks.endpoints import GONE
from service_runtime.webhooks.resolver import BoundedResolver
from service_runtime.webhooks.retries import find_retry_after
from service_runtime.webhooks.secret_box import SecretUnreadable
from service_runtime.webhooks.signing import build_signed_headers

REQUEST_TIMEOUT: Final = 10.0
"""Seconds for one request: DNS, connection, TLS and the response's status."""
MAX_RESPONSE_BODY: Final = 65_536
"""Bytes of a response body that are read and discarded to reuse the connection; for a larger body it is closed."""
PROXY_REFUSED: Final = "proxy refused"
PROXY_UNREACHABLE: Final = "proxy not reachable"
ANSWER_NOT_UNDERSTOOD: Final = "answer not understood"
UNKNOWN_FAILURE: Final = "request failed"
"""The failure of an attempt that an error of no known kind has ended."""
_BODY_TIMEOUT: Final = 1.0
_HEADERS: Final = {"content-type": "application/json", "user-agent": "Call-off webhooks"}


class RequestTimeout:
    """The timeout of a request in seconds; `end_now` ends the request early."""

    def __init__(self, seconds: float) -> None:
        self._timeout = asyncio.timeout(seconds)
        self._runs = False

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()
        self._runs = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        self._runs = False
        return await self._timeout.__aexit__(kind, error, trace)

    def end_now(self) -> None:
        """Ends the request with TimeoutError if it is still running."""
        if self._runs and not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time())


@dataclass(frozen=True)
class EndpointResponse:
    """The response of an endpoint: status, instant of arrival, failure and Retry-After; the body is discarded.

    `failure` is one of a fixed set of texts, or None if the endpoint has accepted. `status` is None if it is no number
    of three digits. After a failure that `is_final` there is no other attempt.
    """

    status: int | None
    at: datetime
    failure: str | None
    retry_after: timedelta | None = None
    is_final: bool = False


class Sender:
    """Sends webhooks. As an asynchronous context manager it owns the connection pools.

    `resolver` resolves host names; the system's, in threads of its own, by default.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        clock: Clock,
        resolver: AbstractResolver | None = None,
        proxy: EgressProxy | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._resolver = resolver
        self._proxy = proxy
        self._tls = True if tls is None else tls

    async def __aenter__(self) -> Self:
        self._own_resolver = BoundedResolver()
        resolver = self._resolver or self._own_resolver
        # Two pools, so that a connection to a trusted host:port is never reused for a URL that must be checked.
        self._public = self._open_session(
            TCPConnector(limit=0, socket_factory=open_public_socket, resolver=resolver, ssl=self._tls)
        )
        self._trusted = self._open_session(TCPConnector(limit=0, resolver=resolver, ssl=self._tls))
        self._proxied = self._open_session(TCPConnector(limit=0, ssl=self._tls))
        self._egress = EgressResolver(resolver)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._public.close()
        await self._trusted.close()
        await self._proxied.close()
        await self._own_resolver.close()

    def _open_session(self, connector: TCPConnector) -> ClientSession:
        return ClientSession(
            connector=connector,
            timeout=ClientTimeout(total=None),
            cookie_jar=DummyCookieJar(),
            headers=_HEADERS,
            trust_env=False,
            auto_decompress=False,
        )

    async def send(
        self, url: str, webhook_id: str, body: bytes, *, keys: Sequence[str], limit: RequestTimeout
    ) -> EndpointResponse:
        """POSTs `body` once, signed with each secret in `keys`; the response's status must arrive within `limit`.

        Raises AddressRefused, TimeoutError, OSError, ValueError or aiohttp's ClientError; `describe_failure` converts
        them, and every other error, to texts.
        """
        target = URL(url)
        self._rules.check_url(target)
        headers = build_signed_headers(webhook_id, body, keys=keys, timestamp=int(time.time()))
        async with limit:
            response = await self._post(target, body, headers)
        # The status alone decides the outcome; a slow or broken body does not change it.
        answer = _read_answer(response, at=self._clock.now())
        await _drain_body(response)
        return answer

    async def _post(self, target: URL, body: bytes, headers: dict[str, str]) -> ClientResponse:
        if self._proxy is None or self._rules.trusts(target):
            session = self._trusted if self._rules.trusts(target) else self._public
            return await session.post(target, data=body, headers=headers, allow_redirects=False)
        checked = await self._egress.resolve(target)
        return await self._proxied.post(
            checked.url,
            data=body,
            headers={**headers, "host": checked.host_header},
            allow_redirects=False,
            proxy=self._proxy.url,
            server_hostname=checked.server_name,
        )


def _read_answer(response: ClientResponse, *, at: datetime) -> EndpointResponse:
    status = response.status if 100 <= response.status <= 999 else None
    failure = describe_status(status)
    asked = find_retry_after(response.headers.getall("Retry-After", ())) if failure not in {None, GONE} else None
    return EndpointResponse(status, at, failure, asked)


def describe_status(status: int | None) -> str | None:
    """Returns None for any 2xx, `gone` for 410, `status N` for others, and a text for a status that is no number."""
    if status is None:
        return ANSWER_NOT_UNDERSTOOD
    if 200 <= status < 300:
        return None
    return GONE if status == 410 else f"status {status}"


async def _drain_body(response: ClientResponse) -> None:
    """Reads a small body, so that the connection can be reused; closes the connection if the body is large or slow."""
    try:
        async with asyncio.timeout(_BODY_TIMEOUT):
            await response.content.readexactly(MAX_RESPONSE_BODY + 1)
    except asyncio.IncompleteReadError:
        response.release()
    except Exception:  # noqa: BLE001  whatever is wrong with the body, the answer has arrived
        response.close()
    else:
        response.close()


def describe_failure(error: Exception) -> str:
    """Returns the failure of a request as one of a fixed set of texts, which reveal nothing about internal hosts."""
    if isinstance(error, ClientHttpProxyError):
        return "connection failed" if error.status in _PROXY_FAILED_TO_CONNECT else PROXY_REFUSED
    cause = error.os_error if isinstance(error, ClientConnectorError) else error
    for kind, description in _FAILURES:
        if isinstance(cause, kind) or isinstance(error, kind):
            return description
    return UNKNOWN_FAILURE


_PROXY_FAILED_TO_CONNECT: Final = frozenset({502, 503, 504})
# The first match counts: aiohttp's errors inherit from several of these classes.
_FAILURES: Final = (
    (AddressRefused, "address refused"),
    (ThreadsBusy, "resolver busy"),
    (TimeoutError, "timed out"),
    (ClientConnectorDNSError, "host not found"),
    (ClientProxyConnectionError, PROXY_UNREACHABLE),
    (ssl.SSLError, "tls failed"),
    (ssl.CertificateError, "tls failed"),
    (ServerDisconnectedError, "connection closed"),
    (SMTPServerDisconnected, "connection closed"),
    (ConnectionResetError, "connection closed"),
    (OSError, "connection failed"),
    (ClientError, ANSWER_NOT_UNDERSTOOD),
    (SecretUnreadable, "secret unreadable"),
    (ValueError, "url not understood"),
)
