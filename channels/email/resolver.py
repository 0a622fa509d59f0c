"""Asks the DNS, for as long as one mail may take. No answer is an error of its own: it proves nothing and disproves nothing.

Blocking, because SPF asks for one thing after the other: whoever checks a mail does so in a thread. Answers are kept for
as long as they may be (dnspython's cache), for all mails of an account.
"""

import functools
import time
from typing import TYPE_CHECKING, Any, Protocol

from channels.email import origin

if TYPE_CHECKING:
    import dns.resolver

CACHED_ANSWERS = 10_000
SERVER_TIMEOUT_S = (
    0.7  # then the next server is asked: the first one being away must not cost all the time there is
)
MAX_NAME = 253
QUERIES_MAX = (
    60  # for one mail: SPF asks 10 times and what those bring, DKIM, DMARC and ARC for a few keys each
)


class NoAnswer(Exception):
    """The DNS could not be asked, or not in time. A later try may succeed."""


class Resolver(Protocol):
    """What checks ask. An empty answer: there is no such name, or nothing of that type. Raises: NoAnswer."""

    def txt(self, name: str) -> tuple[bytes, ...]:
        """Each record's strings put together."""
        ...

    def addresses(self, name: str, *, is_v6: bool) -> tuple[str, ...]: ...

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """Names of MX records, the preferred first."""
        ...

    def names_of(self, address: str) -> tuple[str, ...]: ...


class DnsResolver:
    """A Resolver for one mail. timeout_s: for everything that is asked."""

    def __init__(self, nameservers: tuple[str, ...], *, timeout_s: float) -> None:
        self._asking = _shared(nameservers)
        self._ends_at = time.monotonic() + timeout_s
        self._queries = 0

    def txt(self, name: str) -> tuple[bytes, ...]:
        return tuple(b"".join(each.strings) for each in self._ask(name, "TXT"))

    def addresses(self, name: str, *, is_v6: bool) -> tuple[str, ...]:
        return tuple(each.address for each in self._ask(name, "AAAA" if is_v6 else "A"))

    def mail_servers(self, name: str) -> tuple[str, ...]:
        found = sorted(self._ask(name, "MX"), key=lambda each: each.preference)
        return tuple(each.exchange.to_text().rstrip(".") for each in found)

    def names_of(self, address: str) -> tuple[str, ...]:
        import dns.reversename

        found = self._ask(dns.reversename.from_address(address).to_text(), "PTR")
        return tuple(each.target.to_text().rstrip(".") for each in found)

    def _ask(self, name: str, kind: str) -> tuple[Any, ...]:
        import dns.exception
        import dns.name
        import dns.resolver

        left_s = self._ends_at - time.monotonic()
        self._queries += 1
        if left_s <= 0 or self._queries > QUERIES_MAX:
            raise NoAnswer("the time for this mail is over")
        try:
            answer = self._asking.resolve(
                f"{name.rstrip('.')}.", kind, lifetime=left_s, raise_on_no_answer=False, search=False
            )
        except (dns.resolver.NXDOMAIN, dns.name.LabelTooLong, dns.name.EmptyLabel, dns.name.NameTooLong):
            return ()
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise NoAnswer(f"no answer about {name[:MAX_NAME]}") from error
        return tuple(answer.rrset) if answer.rrset is not None else ()


@functools.lru_cache(maxsize=16)
def _shared(nameservers: tuple[str, ...]) -> "dns.resolver.Resolver":
    """One resolver with its cache for each list of servers; safe in several threads."""
    import dns.nameserver
    import dns.resolver

    resolver = dns.resolver.Resolver(configure=not nameservers)
    resolver.timeout = SERVER_TIMEOUT_S
    resolver.cache = dns.resolver.LRUCache(CACHED_ANSWERS)
    if nameservers:
        resolver.nameservers = [
            dns.nameserver.Do53Nameserver(*origin.host_and_port(each)) for each in nameservers
        ]
    return resolver
