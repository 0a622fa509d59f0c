"""Whose mail we take: configured addresses, their plus-details, whole domains. And the path of MAIL and RCPT.

RFC 5321 §4.1.2 (paths), §4.1.1.3 (source routes are stripped), RFC 5233 (the detail of an address).
"""

import re
from collections.abc import Iterable

# Longest path 256 octets (RFC 5321 §4.5.3.1.3); senders of VERP exceed it, so there is room.
_MAX_PATH_CHARS = 1_000
_PATH = re.compile(
    r"""<(?:@[^\s<>:]*:)?                                  # a source route, ignored
        ( (?: "(?:[^"\\\x00-\x1f]|\\[^\x00-\x1f])*" | [^\s"<>\x00-\x1f\x7f]+? )?
          (?: @[^\s<>@"\x00-\x1f\x7f]+ )? )
        > (?: \s+ (.*) )? $""",
    re.VERBOSE,
)
_BARE_PATH = re.compile(r"([^\s<>\"\x00-\x1f\x7f]+)(?:\s+(.*))?$")
_QUOTED_PAIR = re.compile(r"\\(.)")


def parse_path(text: str) -> tuple[str | None, str | None]:
    """Split "<a@b> SIZE=1" into address and parameters; "<>" for the null path; (None, None) when it is no path."""
    match = _PATH.match(text) or _BARE_PATH.match(text)
    if match is None or len(match[1]) > _MAX_PATH_CHARS:
        return None, None
    return match[1] or "<>", match[2] or ""


def normalise(address: str) -> str:
    """Write an address so that equal mailboxes compare equal: lower case, no needless quotes, the domain in ASCII."""
    local, _, domain = address.rpartition("@")
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return f"{local.lower()}@{_ascii_domain(domain)}"


def _ascii_domain(domain: str) -> str:
    domain = domain.lower().rstrip(".")
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


class Recipients:
    """The addresses of one account. An address "@example.com" stands for all of its domain.

    delimiter: what divides mailbox and detail; "" = details are not taken.
    """

    def __init__(self, addresses: Iterable[str], *, delimiter: str = "+") -> None:
        normal = frozenset(map(normalise, addresses))
        self._addresses = frozenset(address for address in normal if not address.startswith("@"))
        self._domains = frozenset(address[1:] for address in normal if address.startswith("@"))
        self._delimiter = delimiter

    def takes(self, address: str) -> bool:
        """Tell whether mail for the address is ours."""
        normal = normalise(address)
        local, _, domain = normal.rpartition("@")
        if not local:
            return False
        if normal in self._addresses or domain in self._domains:
            return True
        mailbox, delimiter, _ = local.partition(self._delimiter) if self._delimiter else (local, "", "")
        return bool(delimiter) and f"{mailbox}@{domain}" in self._addresses
