"""Where webhooks may go: https on the public internet, and nowhere else unless an operator listed the exact host:port.

Endpoints are given by others, so a URL may name, or its host may resolve to, a machine that only we can reach. The URL
is looked at when it is registered and when it is used; the address is looked at in the moment of connecting, after the
name was resolved, so that a name which changes its answer gains nothing.
"""

import errno
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from yarl import URL

from contracts.errors import CallOffError, Forbidden

LONGEST_URL: Final = 2048
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")


class AddressRefused(Forbidden, PermissionError):
    """Webhooks do not go there. An OSError too, because aiohttp lets only those out of a connection attempt."""

    title = "Webhook address not allowed"

    def __str__(self) -> str:
        return str(self.args[-1])


class AllowListUnusable(CallOffError):
    """An entry of the list of trusted addresses is not `host:port`."""


class AddressRules:
    """Decides where webhooks may go; `allowed` are exact `host:port` pairs to which nothing else applies.

    Raises AllowListUnusable.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(_parse_host_and_port(entry) for entry in allowed)

    def trusts(self, url: URL) -> bool:
        """The operator vouches for this host and port, whatever they resolve to, plain http included."""
        return (url.host, url.port) in self._allowed

    def check_url(self, url: URL) -> None:
        """Raises AddressRefused, with a text that can be shown to whoever gave the URL."""
        if len(str(url)) > LONGEST_URL:
            raise _build_refusal(f"a webhook URL has at most {LONGEST_URL} characters")
        if url.scheme not in {"http", "https"} or not url.host:
            raise _build_refusal("a webhook URL begins with https:// and a host")
        if url.user is not None or url.password is not None or url.fragment:
            raise _build_refusal("a webhook URL has no user, password or fragment")
        if self.trusts(url):
            return
        if url.scheme != "https":
            raise _build_refusal("a webhook URL begins with https://")
        literal = _parse_ip_address(url.host)
        if literal is not None and not is_public(literal):
            raise _build_refusal("a webhook URL names a host on the public internet")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is one machine on the public internet, by every way of writing it."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    # Outside global unicast are loopback, link-local, site-local, multicast and NAT64; 6to4 hides any IPv4 address.
    return address in _GLOBAL_UNICAST and address.is_global and address.sixtofour is None


def open_public_socket(addr_info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """A socket for `TCPConnector(socket_factory=…)`, which is given each resolved address right before it connects.

    Raises AddressRefused for an address that is not public.
    """
    family, kind, protocol, _, address = addr_info
    literal = _parse_ip_address(str(address[0]))
    if literal is None or not is_public(literal):
        # One text for all addresses of a host: then aiohttp raises this very error and not a summary of several.
        raise _build_refusal("the host's address is not on the public internet")
    return socket.socket(family, kind, protocol)


def _parse_host_and_port(entry: str) -> tuple[str, int]:
    """As a URL would have them: lower case, addresses in their canonical form."""
    try:
        url = URL(f"http://{entry}")
        host, port = url.host, url.explicit_port
    except ValueError:
        host, port = None, None
    if not host or port is None:
        message = f"{entry!r} is not host:port; list the exact hosts and ports that webhooks may reach"
        raise AllowListUnusable(message)
    return host, port


def _parse_ip_address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _build_refusal(why: str) -> AddressRefused:
    return AddressRefused(errno.EACCES, why)
