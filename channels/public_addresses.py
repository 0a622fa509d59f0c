"""Addresses that anybody on the Internet may have: what a URL of somebody else's may lead to, and nothing of our own network.

A name is resolved once, every address that it has is checked, and only what was checked is connected to: a name server
that answers differently the second time gains nothing. What fetches so is channels.outside.
"""

import ipaddress
import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1
# What is given out to anybody (IANA's "IPv6 Global Unicast Address Assignments", checked 2026-11), and what of it is not
# for hosts: 6to4 and Teredo wrap addresses of IPv4, the others are for documents and protocols. The library's own list
# calls much outside of it global: fec0::1, ::127.0.0.1, 64:ff9b:1::1.
_ASSIGNED = ipaddress.IPv6Network("2000::/3")
_SPECIAL = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
# IETF's and the old relays of 6to4: of both, the library calls some addresses global.
_SPECIAL_V4 = tuple(map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24")))
_ISATAP = frozenset((0x0000_5EFE, 0x0200_5EFE))  # RFC 5214 §6.1: the IPv4 address stands behind it


def is_public(address: Address) -> bool:
    """Tell whether an address may be anybody's on the Internet; what wraps another one is judged by that, or refused."""
    if isinstance(address, ipaddress.IPv4Address):
        is_special = address.is_multicast or any(address in each for each in _SPECIAL_V4)
        return address.is_global and not is_special
    inner = address.ipv4_mapped or _of_nat64(address)
    if inner is not None:
        return is_public(inner)
    if address not in _ASSIGNED or any(address in each for each in _SPECIAL):
        return False
    return address.is_global and (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP


def read(written: str) -> Address | None:
    """Return the address that a text is, written as it is usual; None = it is none. A zone (%eth0) is left away."""
    try:
        return ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return None


def _of_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a NAT64 address stands for."""
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None


class NotPublic(OSError):
    """A name leads to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves names of the Internet only. resolver: None = the system's own."""

    def __init__(
        self,
        *,
        resolver: AbstractResolver | None = None,
        is_allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._resolver, self._is_allowed = resolver, is_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises: NotPublic when one of the name's addresses is not public, OSError when it has none."""
        resolver = self._resolver or ThreadedResolver()
        found = await resolver.resolve(host, port, family)
        for each in found:
            address = read(each["host"])
            if address is None or not self._is_allowed(address):
                raise NotPublic(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()
