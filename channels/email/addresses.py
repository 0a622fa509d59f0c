"""Takes address fields apart (RFC 5322 §3.4) in linear time; what is ambiguous is never resolved by guessing.

`alice@a.example <bob@b.example>` is bob with a misleading name: only what stands in <> is the address.
"""

import re
from collections.abc import Iterable

from channels.contract import Address
from channels.email import encoded_words, headers

MAX_ADDRESSES = 100  # a field
MAX_ADDRESS_CHARS = 320  # RFC 3696 erratum: 64 + 1 + 255
MAX_FIELD_CHARS = 64_000

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|\([^()]*\)|<[^<>]*>?|[,;:]|[^",;:<(]+|.', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)")
_COMMENT = re.compile(r"\([^()]*\)")
_SPACE = re.compile(r"\s+")


def parse(values: Iterable[str]) -> tuple[Address, ...]:
    """The mailboxes of unfolded field values in order, groups flattened; at most 100."""
    found: list[Address] = []
    for value in values:
        _parse_field(value[:MAX_FIELD_CHARS], found)
    return tuple(found)


def _parse_field(value: str, found: list[Address]) -> None:
    mailbox = _Mailbox()
    for token in _TOKEN.finditer(value):
        text = token[0]
        if text in ",;":
            mailbox.finish(found)
            if len(found) >= MAX_ADDRESSES:
                return
        elif text == ":" and not mailbox.has_address():
            mailbox.clear()  # the name of a group (§3.4)
        else:
            mailbox.take(text)
    mailbox.finish(found)


class _Mailbox:
    """One mailbox under construction."""

    __slots__ = ("angle", "comment", "words")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.words: list[str] = []
        self.angle: str | None = None
        self.comment = ""

    def has_address(self) -> bool:
        return self.angle is not None or any("@" in word for word in self.words)

    def take(self, token: str) -> None:
        if token[0] == "<":
            self.angle = (
                _COMMENT.sub("", token[1:].removesuffix(">")) if "(" in token else token[1:].removesuffix(">")
            )
        elif token[0] == "(" and token[-1] == ")":
            self.comment = self.comment or token[1:-1]
        elif token[0] == '"' and len(token) > 1:
            self.words.append(_ESCAPE.sub(r"\1", token[1:].removesuffix('"')))
        else:
            self.words.append(token)

    def finish(self, found: list[Address]) -> None:
        words = "".join(self.words).strip()
        if self.angle is not None:
            _add(found, self.angle, words or self.comment)
        elif "@" in words or (words and " " not in words):
            _add(found, words, self.comment)
        self.clear()


def _add(found: list[Address], address: str, name: str) -> None:
    address = normalised(address)
    if address and len(found) < MAX_ADDRESSES:
        name = headers.clean(encoded_words.decode(name)) if name else ""
        found.append(Address(address, _SPACE.sub(" ", name).strip(" '\"")))


def normalised(address: str) -> str:
    """The address without white space, source route and mailto:, its domain in lower case."""
    address = headers.clean(_SPACE.sub("", address[: MAX_ADDRESS_CHARS * 2])).strip("<>").rstrip(".")
    if address.startswith("@") and ":" in address:
        address = address.partition(":")[2]  # source route, RFC 5322 §4.4
    if address[:7].lower() == "mailto:":
        address = address[7:]
    local, at, domain = address[:MAX_ADDRESS_CHARS].rpartition("@")
    return f"{local}@{domain.lower()}" if at else domain


def is_plausible(address: str) -> bool:
    """A local part and a domain, one @ between them."""
    local, _, domain = address.rpartition("@")
    return bool(local and domain) and ("@" not in local or local.startswith('"'))
