"""Tells whether a mail came straight from outside, or was handed in by a server or a provider that has looked at it."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

LOOPBACK = ("127.0.0.0/8", "::1/128")

Client = ipaddress.IPv4Address | ipaddress.IPv6Address


class Verify(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How SPF, DKIM, DMARC and ARC are checked by ourselves (see channels.email.examine).

    relays: addresses and networks of our own mail servers: what they hand in is not from outside, their
    Authentication-Results count as before. nameservers: DNS servers ("192.0.2.1", "192.0.2.1:5353"); () = the machine's
    own. timeout_s: for all questions about one mail.
    """

    relays: tuple[str, ...] = LOOPBACK
    nameservers: tuple[str, ...] = ()
    timeout_s: float = 2.0

    def __post_init__(self) -> None:
        for each in self.relays:
            ipaddress.ip_network(each, strict=False)
        for each in self.nameservers:
            host_and_port(each)
        if not 0 < self.timeout_s <= 30:
            raise ValueError("timeout_s must be more than 0 and at most 30")


def host_and_port(text: str) -> tuple[str, int]:
    """Split "192.0.2.1:53", "[2001:db8::1]:53", or an address alone. Raises: ValueError."""
    host, colon, port = text.rpartition(":")
    if not (colon and (host.startswith("[") or ":" not in host)):
        host, port = text, "53"
    return str(ipaddress.ip_address(host.strip("[]"))), int(port)


def client_of(envelope: Mapping[str, Any]) -> Client | None:
    """Return the address that handed a mail in; None when there is none ("file", a socket of this machine)."""
    try:
        client = ipaddress.ip_address(str(envelope.get("peer")).partition("%")[0])
    except ValueError:
        return None
    return getattr(client, "ipv4_mapped", None) or client


def is_outside(envelope: Mapping[str, Any], verify: Verify | None) -> bool:
    """Whether we are to find out for ourselves who sent it. A mail fetched from a mailbox has no peer: it has signatures."""
    if verify is None or envelope.get("authentication") is not None:
        return False
    if envelope.get("peer") is None:
        return True
    client = client_of(envelope)
    return client is not None and not _is_relay(client, verify.relays)


def _is_relay(client: Client, relays: Sequence[str]) -> bool:
    networks = (ipaddress.ip_network(each, strict=False) for each in relays)
    return any(client.version == network.version and client in network for network in networks)
