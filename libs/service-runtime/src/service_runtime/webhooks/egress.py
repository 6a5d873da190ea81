"""Egress proxy: webhooks leave by an HTTP proxy, and the address rules are applied before it is asked.

The name is resolved here and every address checked; the proxy gets CONNECT with a checked IP address, so that it
cannot be led to another one. TLS runs end to end with the name of the URL.
"""

from dataclasses import dataclass
from socket import AF_INET, AF_UNSPEC
from typing import Final

from aiohttp import ClientConnectorDNSError
from aiohttp.abc import AbstractResolver
from aiohttp.client_reqrep import ConnectionKey
from pydantic import SecretStr
from yarl import URL

from contracts.errors import CallOffError
from service_runtime.webhooks.addresses import check_resolved_address

_SCHEMES: Final = frozenset({"http", "https"})


class EgressProxyInvalid(CallOffError):
    """The URL of the egress proxy is not http(s)://[user:password@]host:port."""


@dataclass(frozen=True)
class EgressTarget:
    """The URL with a checked IP address in place of its name, the Host header, and the name for TLS."""

    url: URL
    host_header: str
    server_name: str


class EgressProxy:
    """An HTTP proxy for CONNECT. Raises EgressProxyInvalid; the text has nothing of the URL, which may be secret."""

    def __init__(self, url: SecretStr) -> None:
        message = (
            "the egress proxy is not a URL like http://user:password@proxy.example:3128; correct CALLOFF_EGRESS_PROXY"
        )
        try:
            self.url = URL(url.get_secret_value())
            has_port = self.url.explicit_port is not None
        except ValueError:
            raise EgressProxyInvalid(message) from None
        if self.url.scheme not in _SCHEMES or not self.url.host or not has_port or self.url.path not in {"", "/"}:
            raise EgressProxyInvalid(message)


class EgressResolver:
    """Resolves the names of webhook URLs for requests through a proxy."""

    def __init__(self, resolver: AbstractResolver) -> None:
        self._resolver = resolver

    async def resolve(self, url: URL) -> EgressTarget:
        """Returns the target with a checked address, IPv4 before IPv6.

        Raises AddressRefused if an address of the name is not public, and ClientConnectorDNSError.
        """
        host, port = url.host or "", url.port or 443
        try:
            found = await self._resolver.resolve(host, port, family=AF_UNSPEC)
        except OSError as error:
            raise ClientConnectorDNSError(_build_key(host, port), error) from error
        for each in found:
            check_resolved_address(each["host"])
        if not found:
            raise ClientConnectorDNSError(_build_key(host, port), OSError("no address"))
        chosen = min(found, key=lambda each: each["family"] != AF_INET)
        return EgressTarget(url.with_host(chosen["host"]), url.authority, host)


def _build_key(host: str, port: int) -> ConnectionKey:
    return ConnectionKey(host, port, True, True, None, None, None)
