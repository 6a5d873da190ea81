"""Address rules for webhooks, which prevent server-side request forgery (SSRF).

Webhooks go to https URLs on the public internet, or to an exact host:port that an operator has listed. Owners choose
the URLs, so a URL may name, or its host may resolve to, a machine on the internal network. The URL is checked when it
is registered and each time it is used. The IP address is checked after the name is resolved, right before the
connection, so that DNS rebinding does not work.
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
    """Webhooks must not be sent to this address. Also an OSError, because aiohttp's connector handles only those."""

    title = "Webhook address not allowed"

    def __str__(self) -> str:
        return str(self.args[-1])


class AllowListUnusable(CallOffError):
    """An entry of the list of trusted addresses is not `host:port`."""


class AddressRules:
    """Decides which addresses webhooks may be sent to; the `host:port` pairs in `allowed` are exempt from the checks.

    Raises AllowListUnusable for an entry that is not `host:port`.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(_parse_host_and_port(entry) for entry in allowed)

    def trusts(self, url: URL) -> bool:
        """True if the operator has listed this host and port; then any address and plain http are allowed."""
        return (url.host, url.port) in self._allowed

    def check_url(self, url: URL) -> None:
        """Raises AddressRefused if webhooks must not be sent to `url`; its text is safe to show to the owner."""
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
    """True for a unicast address on the public internet; also checks IPv4 addresses that are embedded in IPv6."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return is_public(address.ipv4_mapped)
    # Global unicast excludes loopback, link-local, site-local, multicast and NAT64. 6to4 can embed any IPv4 address.
    return address in _GLOBAL_UNICAST and address.is_global and address.sixtofour is None


def open_public_socket(addr_info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
    """Opens a socket for `TCPConnector(socket_factory=…)`, which passes each resolved address before it connects.

    Raises AddressRefused for an address that is not public.
    """
    family, kind, protocol, _, address = addr_info
    check_resolved_address(str(address[0]))
    return socket.socket(family, kind, protocol)


def check_resolved_address(address: str) -> None:
    """Raises AddressRefused for an address that is not public."""
    literal = _parse_ip_address(address)
    if literal is None or not is_public(literal):
        # All addresses of a host get the same text; aiohttp then raises this error instead of a summary of several.
        raise _build_refusal("the host's address is not on the public internet")


def _parse_host_and_port(entry: str) -> tuple[str, int]:
    """Parses `host:port` like a URL: host in lower case, IP addresses in canonical form."""
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
