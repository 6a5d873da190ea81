"""Webhook addresses: only public addresses, except the hosts and ports of the operator's allow-list."""

import socket
from ipaddress import ip_address

import pytest
from yarl import URL

from service_runtime.webhooks.addresses import (
    AddressRefused,
    AddressRules,
    AllowListUnusable,
    is_public,
    open_public_socket,
)

PRIVATE = (
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "239.1.1.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "fe80::1",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "::127.0.0.1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_and_reserved_addresses_are_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "::ffff:93.184.215.14", "2606:2800:21f:cb07::1"])
def test_internet_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "fe80::1%eth0"])
def test_no_socket_is_opened_for_a_private_address(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(AddressRefused):
        open_public_socket((family, socket.SOCK_STREAM, 0, "", (address, 443)))


def test_a_socket_is_opened_for_a_public_address() -> None:
    with open_public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("93.184.215.14", 443))) as made:
        assert made.family == socket.AF_INET


@pytest.mark.parametrize(
    "url",
    [
        "http://receiver.example/hooks",
        "ftp://receiver.example/hooks",
        "/hooks",
        "https://user:word@receiver.example/hooks",
        "https://receiver.example/hooks#part",
        "https://127.0.0.1/hooks",
        "https://[::1]/hooks",
        "https://[::ffff:10.0.0.1]/hooks",
        "https://receiver.example/" + "x" * 2048,
    ],
)
def test_these_urls_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        AddressRules().check_url(URL(url))


def test_https_to_a_named_host_is_accepted() -> None:
    AddressRules().check_url(URL("https://receiver.example:8443/hooks?for=alder"))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001/x", "http://Receiver.Internal:80/", "https://[::1]:8443/"])
def test_the_allow_list_accepts_the_exact_host_and_port(url: str) -> None:
    AddressRules(["127.0.0.1:9001", "receiver.internal:80", "[::1]:8443"]).check_url(URL(url))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9002/x", "http://localhost:9001/x", "http://127.0.0.1/x"])
def test_the_allow_list_accepts_nothing_else(url: str) -> None:
    with pytest.raises(AddressRefused):
        AddressRules(["127.0.0.1:9001"]).check_url(URL(url))


@pytest.mark.parametrize("entry", ["receiver.internal", "", ":80", "receiver.internal:http", "*:80:80"])
def test_an_allow_list_entry_without_host_and_port_is_refused_at_start(entry: str) -> None:
    with pytest.raises(AllowListUnusable):
        AddressRules([entry])
