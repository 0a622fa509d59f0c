"""Takes address fields apart (RFC 5322 §3.4) in linear time; what is ambiguous is never resolved by guessing.

`alice@a.example <bob@b.example>` is bob with a misleading name: only what stands in <> is the address.
"""

import re
from collections.abc import Iterable
from itertools import islice

from channels.contract import Address
from channels.email import encoded_words, headers

MAX_ADDRESSES = 100  # a field
MAX_ADDRESS_CHARS = 320  # RFC 3696 erratum: 64 + 1 + 255
MAX_FIELD_CHARS = 64_000
MAX_TOKENS = 10_000

# An encoded word is one token: what it hides in itself is no address (CPython issue 152519).
_TOKEN = re.compile(
    r'=\?[^?\s]{1,60}\?[bBqQ]\?[^?]*\?=|"(?:[^"\\]|\\.)*"?|\([^()]*(?:\([^()]*\)[^()]*)*\)|<[^<>]*>?|[,;:]|\\.|[^",;:<(\\=]+|.',
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)")
_COMMENT = re.compile(r"\([^()]*\)")
_SPACE = re.compile(r"\s+")
# `Anna Example <anna@example.com>` as nearly every mail has it: nothing quoted, encoded, commented or grouped.
_USUAL = re.compile(
    r"(?:([A-Za-z\d.-]+(?: [A-Za-z\d.-]+)*) ?)?<([A-Za-z\d._+-]{1,64})@([A-Za-z\d.-]{0,250}[A-Za-z\d])>"
)
_SCHEME = re.compile(r"(?i)(?:mailto|smtp):")


def parse(values: Iterable[str]) -> tuple[Address, ...]:
    """The mailboxes of unfolded field values in order, groups flattened; at most 100."""
    found: list[Address] = []
    for value in values:
        if len(value) <= headers.MAX_TEXT_CHARS and (usual := _USUAL.fullmatch(value)):
            if len(found) < MAX_ADDRESSES:
                found.append(Address(f"{usual[2]}@{usual[3].lower()}", usual[1] or ""))
            continue
        _parse_field(value[:MAX_FIELD_CHARS], found)
    return tuple(found)


def _parse_field(value: str, found: list[Address]) -> None:
    mailbox = _Mailbox()
    for token in islice(_TOKEN.finditer(value), MAX_TOKENS):
        text = token[0]
        if text in ",;":
            mailbox.finish(found)
            if len(found) >= MAX_ADDRESSES:
                return
        elif text == ":" and not mailbox.has_address():
            mailbox.clear()  # the name of a group (§3.4)
        elif text[0] == "<" and mailbox.angle is not None:
            mailbox.finish(found)  # two addresses without a comma are two addresses
            mailbox.take(text)
        else:
            mailbox.take(text)
    mailbox.finish(found)


class _Mailbox:
    """One mailbox under construction."""

    __slots__ = ("angle", "comment", "quoted", "words")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.words: list[str] = []
        self.angle: str | None = None
        self.comment = ""
        self.quoted = ""

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
            self.quoted = token
        elif token[0] == "@" and self.quoted and not token.isspace() and len(self.words) == 1:
            self.words = [self.quoted, token]  # "a b"@example.com: the quotes belong to the address
        else:
            self.words.append(token[1:] if token[0] == "\\" else token)

    def finish(self, found: list[Address]) -> None:
        words = "".join(self.words).strip()
        if self.angle is not None:
            _add(found, self.angle, words or self.comment)
        elif self.quoted and words.startswith(self.quoted + "@"):
            _add(found, words, self.comment)
        elif "@" in words:
            _add_bare(found, words, self.comment)
        elif words and " " not in words and not words.startswith("=?"):
            _add(found, words, self.comment)
        self.clear()


def _add_bare(found: list[Address], text: str, comment: str) -> None:
    """Addresses that stand without <>: the rest of the words is a name when there is only one of them."""
    words = "@".join([piece.strip() for piece in text.split("@")]).split()
    addresses = [word for word in words if "@" in word and not word.startswith("=?")]
    for address in addresses:
        bare = address.removeprefix("[")
        bare = bare if "[" in bare else bare.removesuffix("]")  # not that of a@[192.0.2.1]
        name = " ".join(word for word in words if word is not address) if len(addresses) == 1 else ""
        _add(found, bare, name or comment)


def _add(found: list[Address], address: str, name: str) -> None:
    address = normalised(address)
    if address and len(found) < MAX_ADDRESSES:
        name = headers.clean(encoded_words.decode(name)) if name else ""
        found.append(Address(address, _SPACE.sub(" ", name).strip(" '\"<>")))


def normalised(address: str) -> str:
    """The address without white space, source route and mailto:, its domain in lower case."""
    address = address[: MAX_ADDRESS_CHARS * 2]
    if len(address) > 1 and address[0] == address[-1] and address[0] in "\"'":
        address = address[1:-1]
    if address.startswith('"'):
        address = headers.clean(address.strip()).rstrip(".")
    else:
        address = headers.clean(_SPACE.sub("", address)).strip("<>").rstrip(".")
    if address.startswith("@") and ":" in address:
        address = address.partition(":")[2]  # source route, RFC 5322 §4.4
    if found := _SCHEME.match(address):
        address = address[found.end() :]
    local, at, domain = address[:MAX_ADDRESS_CHARS].rpartition("@")
    return f"{local}@{domain.lower()}" if at else domain


def is_plausible(address: str) -> bool:
    """A local part and a domain, one @ between them."""
    local, _, domain = address.rpartition("@")
    return bool(local and domain) and ("@" not in local or local.startswith('"'))
