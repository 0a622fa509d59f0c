"""Addresses that anybody on the Internet may have: what a URL of somebody else's may lead to, and nothing of our own network.

A name is resolved once, every address that it has is checked, and only what was checked is connected to: a name server
that answers differently the second time gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: Address) -> bool:
    """Tell whether an address may be anybody's on the Internet; what wraps another one is judged by that."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _of_nat64(address)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or not address.is_global:
            return False
    return address.is_global and not address.is_multicast


def _of_nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that a NAT64 address (RFC 6052 §2.1) stands for."""
    if address in ipaddress.IPv6Network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


class NotPublic(OSError):
    """A name leads to an address that is not public."""


class PublicResolver(AbstractResolver):
    """Resolves names of the Internet only. trusted: the one host that the operator has named, wherever it is."""

    def __init__(
        self,
        *,
        trusted: str | None = None,
        resolver: AbstractResolver | None = None,
        is_allowed: Callable[[Address], bool] = is_public,
    ) -> None:
        self._trusted, self._resolver, self._is_allowed = trusted, resolver, is_allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises: NotPublic when one of the name's addresses is not public, OSError when it has none."""
        resolver = self._resolver or ThreadedResolver()
        found = await resolver.resolve(host, port, family)
        if host != self._trusted:
            for each in found:
                if not self._is_allowed(ipaddress.ip_address(each["host"].partition("%")[0])):
                    raise NotPublic(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        if self._resolver is not None:
            await self._resolver.close()
