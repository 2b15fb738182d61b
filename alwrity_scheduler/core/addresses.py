"""Which addresses may be called: public ones, and what the operator names. Pure: no Django, no socket.

Sources: the IANA special-purpose address registries (IPv4 and IPv6, as Python's ipaddress has them) and the embedded
forms of RFC 4291 2.5.5 (mapped), RFC 6052 (NAT64), RFC 3056 (6to4) and RFC 4380 (Teredo).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# What some of the supported Python versions take for global: IETF assignments, the 6to4 relay, documentation.
_SPECIAL_V4 = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))
_SPECIAL_V6 = ipaddress.IPv6Network("3fff::/20")


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address is a form of, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Is this an address of the open internet? Anything special, reserved or in doubt is not."""
    address = embedded(address)
    if isinstance(address, ipaddress.IPv4Address):
        is_special = address.is_multicast or address.is_reserved or any(address in net for net in _SPECIAL_V4)
        return address.is_global and not is_special
    if address not in _GLOBAL_UNICAST or address in _SPECIAL_V6 or not address.is_global:
        return False
    return address.sixtofour is None and address.teredo is None


@dataclass(frozen=True, slots=True)
class Allowed:
    """The operator's exceptions: host names (exact) and networks (CIDR or single addresses)."""

    hosts: frozenset[str]
    networks: tuple[Network, ...]

    @classmethod
    def of(cls, entries: Iterable[str]) -> Allowed:
        """Read OUTBOUND_ALLOW: what reads as a network is one, the rest are host names."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in (entry.strip().lower().rstrip(".") for entry in entries):
            try:
                networks.append(ipaddress.ip_network(entry.strip("[]"), strict=False))
            except ValueError:
                hosts.add(entry)
        return cls(frozenset(hosts - {""}), tuple(networks))

    def is_allowed(self, host: str, resolved: str) -> bool:
        """May `host`, which resolves to the address `resolved`, be called?"""
        if host.lower().rstrip(".") in self.hosts:
            return True
        try:
            address = embedded(ipaddress.ip_address(resolved.partition("%")[0]))
        except ValueError:
            return False
        return is_public(address) or any(address in network for network in self.networks)
