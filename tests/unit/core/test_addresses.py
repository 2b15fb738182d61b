"""Which addresses may be called: the table of what attackers try."""

from __future__ import annotations

import ipaddress

import pytest

from alwrity_scheduler.core.addresses import Allowed, is_public

REFUSED = [
    "127.0.0.1", "127.1.2.3", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254",  # cloud metadata
    "100.64.0.1",  # carrier-grade NAT
    "100.100.100.200",  # Alibaba metadata, inside of it
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1",  # the old compatible form
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",  # NAT64 of loopback and metadata
    "64:ff9b:1::1", "2002:7f00:1::", "2001:0:53aa:64c::", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
    "2001:db8::1", "100::1", "3fff::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", REFUSED)
def test_special_addresses_are_refused(address):
    assert not is_public(ipaddress.ip_address(address))
    assert not Allowed.of([]).is_allowed("innocent.test", address)


@pytest.mark.parametrize("address", PUBLIC)
def test_the_open_internet_is_allowed(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("entry", "host", "address", "allowed"),
    [
        ("10.0.0.0/8", "x.test", "10.1.2.3", True),
        ("10.0.0.0/8", "x.test", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "x.test", "192.168.0.1", False),
        ("127.0.0.1", "127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "localhost", "127.0.0.2", False),
        ("[::1]", "x.test", "::1", True),
        ("Hooks.Internal", "hooks.internal.", "10.9.9.9", True),
        ("hooks.internal", "evil.hooks.internal", "10.9.9.9", False),
        ("hooks.internal", "x.test", "10.9.9.9", False),
        ("", "", "10.0.0.1", False),
        ("fe80::/10", "x.test", "fe80::1%eth0", True),
        ("10.0.0.0/8", "x.test", "nonsense", False),
    ],
)
def test_the_operator_names_exceptions(entry, host, address, allowed):
    assert Allowed.of([entry]).is_allowed(host, address) is allowed
