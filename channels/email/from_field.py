"""Tells whether a From field can be read in one way only (RFC 5322 §3.4), by machines and by people.

Readers of mail differ in what they make of a field that is bent: the server that proved a domain may have seen another one
than we do. So a sender is proven only when the field is plain; everybody else is read as well as can be, and not proven.
"""

import re
import unicodedata
from collections.abc import Iterator

from channels.email import domains, encoded_words

MAX_CHARS = 2_000

# No "%" and "!": they once meant "by way of". No "=?": an encoded word has no place in an address.
_LOCAL = r"(?!=\?)[\w#$&'*+/=?^`{|}~-]+(?:\.[\w#$&'*+/=?^`{|}~-]+)*"
_DOMAIN = r"[\w-]+(?:\.[\w-]+)+"
_ADDRESS = rf"(?P<address>{_LOCAL}@{_DOMAIN})"
_WORD = r"""(?:"(?:[^"\\]|\\.)*"|\([^()<>@\\"]*\)|[^\s()<>\[\]:;@\\,"]+)"""
_NAMED = re.compile(rf"\s*(?:(?P<name>{_WORD}(?:\s+{_WORD})*)\s*)?<{_ADDRESS}>\s*\Z")
_BARE = re.compile(rf"\s*{_ADDRESS}\s*(?:\((?P<name>[^()<>@\\\"]*)\)\s*)?\Z")
_WORDS = re.compile(r"[^\s<>\"'(),;:\[\]]+")
# Scripts whose letters look alike: a label in two of them is somebody's disguise.
_ALIKE = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC"})
_LIKE_LATIN = frozenset("аеорсухіјѕһԁԛԝӏьѵкмтвнοανυικρτ")


def is_plain(value: str, address: str) -> bool:
    """Whether the unfolded field names this address and nothing else. address: as our own reader understood it."""
    if len(value) > MAX_CHARS or not _is_visible(value):
        return False
    found = _NAMED.match(value) or _BARE.match(value)
    if found is None or not _is_same(found["address"], address):
        return False
    domain = domains.of_address(address)
    if not domain or "." not in domain or not _is_one_script(address, domain):
        return False
    name = unicodedata.normalize("NFKC", encoded_words.decode(found["name"] or ""))
    # A name that is an address is the sender's own, or a trick.
    mentioned = {each.casefold().rstrip(".") for each in _WORDS.findall(name) if "@" in each[1:-1]}
    return _is_visible(name) and mentioned <= {address.casefold()}


def _is_same(written: str, address: str) -> bool:
    """Whether they differ in capitals only; a Kelvin sign is no capital K."""
    return written.isascii() == address.isascii() and written.casefold() == address.casefold()


def _is_visible(text: str) -> bool:
    """Without what is not seen: controls, marks of direction, joiners, characters of nobody."""
    return (text.isascii() and text.isprintable()) or not any(
        unicodedata.category(each) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and each != "\t"
        for each in text
    )


def _is_one_script(address: str, domain: str) -> bool:
    if address.isascii() and "xn--" not in domain:
        return True
    try:
        shown = domain.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return all(not _is_disguise(label) for label in (*shown.split("."), address.rpartition("@")[0]))


def _is_disguise(label: str) -> bool:
    """Whether a label mixes scripts that look alike, or is written in one of them to look like Latin."""
    scripts = set(_scripts(label)) & _ALIKE
    letters = {each for each in label.lower() if each.isalpha()}
    return len(scripts) > 1 or ("LATIN" not in scripts and bool(letters) and letters <= _LIKE_LATIN)


def _scripts(label: str) -> Iterator[str]:
    for each in label:
        if each.isalpha():
            yield unicodedata.name(each, "?").partition(" ")[0]
