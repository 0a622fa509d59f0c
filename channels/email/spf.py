"""Says whether a client may send for a domain (SPF, RFC 7208), within the RFC's own limits.

Written here because the library there is (pyspf 2.0.14) is of 2020, warns on today's Pythons and asks the DNS by itself.
"""

import ipaddress
import re
from collections.abc import Iterator

from channels.email import domains
from channels.email.resolver import NoAnswer, Resolver

LOOKUPS_MAX = 10  # §4.6.4
VOIDS_MAX = 2
NAMES_MAX = 10
TERMS_MAX = 200
RECORD_MAX_CHARS = 8_000

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_TERM = re.compile(
    r"([+\-~?]?)(all|include|a|mx|ptr|ip4|ip6|exists)(?![A-Za-z0-9_=.-])([:/].*)?\Z", re.IGNORECASE
)
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9._-]*)=(.*)\Z")
_MACRO = re.compile(r"%(?:\{([slodiphcrtvSLODIPHCRTV])(\d{0,3})([rR]?)([.\-+,/_=]*)\}|(%)|(_)|(-))")
_PREFIXES = re.compile(r"(?:/(\d{1,3}))?(?://(\d{1,3}))?\Z")
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral", "": "pass"}

Network = ipaddress.IPv4Address | ipaddress.IPv6Address


class _Permanent(Exception):
    """The domain's records are wrong: "permerror"."""


def check(client: str, *, sender: str, helo: str, resolver: Resolver) -> tuple[str, str]:
    """Return the result (§2.6) and the domain that it is about. client: an IP address; sender: "" = the null return path."""
    domain = domains.of_address(sender) if sender else domains.normalised(helo)
    if "." not in domain:
        return "none", domain
    local = sender.rpartition("@")[0] or "postmaster"
    checking = _Check(client, f"{local}@{domain}", helo, resolver)
    try:
        return checking.host(domain), domain
    except NoAnswer:
        return "temperror", domain
    except _Permanent:
        return "permerror", domain


class _Check:
    """One evaluation with its limits: they count over all records that it leads to."""

    def __init__(self, client: str, sender: str, helo: str, resolver: Resolver) -> None:
        address = ipaddress.ip_address(client)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        self.client: Network = mapped or address
        self.sender, self.helo, self.resolver = sender, helo, resolver
        self.lookups = self.voids = 0

    def host(self, domain: str) -> str:
        """check_host() of §4."""
        record = self._record(domain)
        if record is None:
            return "none"
        redirect = None
        terms = record.split(" ")[1:]
        if len(terms) > TERMS_MAX:
            raise _Permanent("too many terms")
        mechanisms = []
        for term in filter(None, terms):
            modifier = _MODIFIER.match(term)
            if modifier is None:
                mechanisms.append(_mechanism(term))
            elif modifier[1].lower() == "redirect":
                if redirect is not None:
                    raise _Permanent("redirect twice")
                redirect = modifier[2]
        for qualifier, name, value in mechanisms:
            if self._matches(name, value, domain):
                return _RESULTS[qualifier]
        return "neutral" if redirect is None else self._redirected(redirect, domain)

    def _redirected(self, spec: str, domain: str) -> str:
        self._count_lookup()
        result = self.host(self._target(spec, domain))
        if result == "none":
            raise _Permanent("redirect to a domain without a record")
        return result

    def _record(self, domain: str) -> str | None:
        found = [
            text
            for text in (each.decode("ascii", "replace") for each in self.resolver.txt(domain))
            if _VERSION.match(text)
        ]
        if len(found) > 1 or (found and ("\ufffd" in found[0] or len(found[0]) > RECORD_MAX_CHARS)):
            raise _Permanent("several records, or one that is not text")
        return found[0] if found else None

    def _matches(self, name: str, value: str, domain: str) -> bool:
        if name == "all":
            if value:
                raise _Permanent("all with a value")
            return True
        if name in ("ip4", "ip6"):
            return _in_network(self.client, value.removeprefix(":"), version=4 if name == "ip4" else 6)
        self._count_lookup()
        spec, v4_bits, v6_bits = _split(value)
        if name in ("include", "exists") and not spec:
            raise _Permanent(f"{name} without a domain")
        target = self._target(spec, domain) if spec else domain
        if name == "include":
            return self._included(target)
        if name == "exists":
            return bool(self._void(self.resolver.addresses(target, is_v6=False)))
        if name == "ptr":
            return any(domains.is_same_or_parent(target, each) for each in self._validated_names())
        bits = v4_bits if self.client.version == 4 else v6_bits
        return any(self._is_near(each, bits) for each in self._hosts(name, target))

    def _included(self, target: str) -> bool:
        result = self.host(target)
        if result == "none":
            raise _Permanent("include of a domain without a record")
        return result == "pass"

    def _hosts(self, name: str, target: str) -> Iterator[str]:
        """Give the addresses of a domain, or of its mail servers."""
        if name == "a":
            yield from self._void(self._addresses(target))
            return
        servers = self._void(self.resolver.mail_servers(target))
        if len(servers) > NAMES_MAX:
            raise _Permanent("more than 10 mail servers")
        for server in servers:
            yield from self._addresses(server)

    def _addresses(self, name: str) -> tuple[str, ...]:
        return self.resolver.addresses(name, is_v6=self.client.version == 6)

    def _is_near(self, address: str, bits: int) -> bool:
        return self.client in ipaddress.ip_network(f"{address}/{bits}", strict=False)

    def _validated_names(self) -> list[str]:
        """The client's names that lead back to it (§5.5); a name that cannot be looked up is passed over."""
        try:
            names = self._void(self.resolver.names_of(str(self.client)))[:NAMES_MAX]
        except NoAnswer:
            return []
        found = []
        for name in names:
            try:
                if str(self.client) in self._addresses(name):
                    found.append(domains.normalised(name))
            except NoAnswer:
                continue
        return found

    def _count_lookup(self) -> None:
        self.lookups += 1
        if self.lookups > LOOKUPS_MAX:
            raise _Permanent("more than 10 lookups")

    def _void(self, found: tuple[str, ...]) -> tuple[str, ...]:
        if not found:
            self.voids += 1
            if self.voids > VOIDS_MAX:
                raise _Permanent("more than 2 lookups without an answer")
        return found

    def _target(self, spec: str, domain: str) -> str:
        """Expand the macros of a domain-spec (§7). Raises: _Permanent."""
        expanded = _MACRO.sub(lambda found: self._macro(found, domain), spec)
        if "%" in _MACRO.sub("", spec):
            raise _Permanent("a macro that nobody knows")
        if len(expanded) > domains.MAX_CHARS:  # labels go from the left until it fits
            expanded = expanded[-domains.MAX_CHARS - 1 :].partition(".")[2]
        target = expanded.rstrip(".").lower()
        if "." not in target:
            raise _Permanent("no domain")
        return target

    def _macro(self, found: re.Match[str], domain: str) -> str:
        if found[1] is None:
            return "%" if found[5] else " " if found[6] else "%20"
        letter = found[1].lower()
        parts = re.split(f"[{re.escape(found[4] or '.')}]", self._value(letter, domain))
        if found[3]:
            parts.reverse()
        if found[2]:
            if int(found[2]) == 0:
                raise _Permanent("none of the parts")
            parts = parts[-int(found[2]) :]
        return ".".join(parts)

    def _value(self, letter: str, domain: str) -> str:
        local, _, sender_domain = self.sender.rpartition("@")
        if letter == "p":
            return next(iter(self._validated_names()), "unknown")
        values = {
            "s": self.sender,
            "l": local,
            "o": sender_domain,
            "d": domain,
            "i": _dotted(self.client),
            "v": "in-addr" if self.client.version == 4 else "ip6",
            "h": self.helo,
        }
        if letter not in values:
            raise _Permanent("a macro for explanations only")
        return values[letter]


def _mechanism(term: str) -> tuple[str, str, str]:
    """Return qualifier, name and what stands behind it. Raises: _Permanent."""
    match = _TERM.match(term)
    if match is None:
        raise _Permanent(f"unknown term {term[:40]}")
    return match[1], match[2].lower(), match[3] or ""


def _split(value: str) -> tuple[str, int, int]:
    """Return the domain-spec and the prefix lengths of ":spec/24//64"."""
    slash = value.rfind("}")  # a "/" may stand inside of a macro
    at = value.find("/", slash + 1)
    spec, tail = (value, "") if at < 0 else (value[:at], value[at:])
    bits = _PREFIXES.match(tail)
    if bits is None or (bits[1] and int(bits[1]) > 32) or (bits[2] and int(bits[2]) > 128):
        raise _Permanent("a prefix length that cannot be")
    if value.startswith(":") and spec == ":":
        raise _Permanent("no domain")
    return spec.removeprefix(":"), int(bits[1] or 32), int(bits[2] or 128)


def _in_network(client: Network, text: str, *, version: int) -> bool:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise _Permanent(f"no network: {text[:40]}") from None
    if network.version != version:
        raise _Permanent(f"no network of IPv{version}")
    return client.version == version and client in network


def _dotted(client: Network) -> str:
    return str(client) if client.version == 4 else ".".join(client.exploded.replace(":", ""))
