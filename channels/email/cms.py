"""Takes the content out of an S/MIME message that is signed but not encrypted; the signature is not checked.

Sources: RFC 5652 §5.1 (SignedData), RFC 8551 §3.5 (opaque signing), X.690 (BER; indefinite lengths and octet strings in pieces
are what mail programs write). Bounded in depth and elements, never raises.
"""

from collections.abc import Iterator

MAX_ELEMENTS = 200_000  # looked at in one message
MAX_DEPTH = 12

_SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
_ENVELOPED_DATA = bytes.fromhex("2a864886f70d010703")
_CONTEXT_0, _OCTETS, _OCTETS_IN_PIECES, _SEQUENCE, _OBJECT_ID = 0xA0, 0x04, 0x24, 0x30, 0x06


def is_encrypted(content: bytes) -> bool:
    return _ENVELOPED_DATA in content[:64]


def signed_content(content: bytes) -> bytes:
    """The bytes that were signed, a MIME entity; b"" when the message is none, or is encrypted."""
    if _SIGNED_DATA not in content[:64]:
        return b""
    try:
        return _Reader(content).encapsulated()
    except (IndexError, ValueError, RecursionError):
        return b""


class _Reader:
    """One walk through the elements of a message, with a bound on how many are looked at."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._left = MAX_ELEMENTS

    def _take(self) -> bool:
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many elements")
        return True

    def encapsulated(self) -> bytes:
        """ContentInfo -> [0] -> SignedData -> encapContentInfo -> [0] -> OCTET STRING."""
        outer = self._only(0, len(self._content), _SEQUENCE)
        wrapped = self._only(*outer, _CONTEXT_0)
        signed = self._only(*wrapped, _SEQUENCE)
        for tag, begin, end in self._elements(*signed):
            if tag == _SEQUENCE:  # version and digest algorithms are of other kinds
                return b"".join(self._pieces(*self._only(begin, end, _CONTEXT_0), depth=0))
        raise ValueError("no content")

    def _only(self, begin: int, end: int, wanted: int) -> tuple[int, int]:
        """Where the content of the first element of a kind lies."""
        for tag, inner_begin, inner_end in self._elements(begin, end):
            if tag == wanted:
                return inner_begin, inner_end
        raise ValueError("element is missing")

    def _pieces(self, begin: int, end: int, *, depth: int) -> Iterator[bytes]:
        for tag, inner_begin, inner_end in self._elements(begin, end):
            if tag == _OCTETS:
                yield self._content[inner_begin:inner_end]
            elif tag == _OCTETS_IN_PIECES and depth < MAX_DEPTH:
                yield from self._pieces(inner_begin, inner_end, depth=depth + 1)

    def _elements(self, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Tag and stretch of each element between two positions; one of indefinite length ends before its zeros."""
        at = begin
        while self._take():
            if at + 2 > end or self._content[at : at + 2] == b"\x00\x00":
                return
            tag = self._content[at]
            size, inner = self._length(at + 1)
            stop = inner + size if size >= 0 else self._end_of_indefinite(inner, end, depth=0)
            yield tag, inner, min(stop, end)
            at = stop if size >= 0 else stop + 2

    def _length(self, at: int) -> tuple[int, int]:
        """The length of an element and where its content begins; -1 = indefinite."""
        first = self._content[at]
        if first < 0x80:
            return first, at + 1
        if first == 0x80:
            return -1, at + 1
        count = first & 0x7F
        if count > 8:
            raise ValueError("absurd length")
        return int.from_bytes(self._content[at + 1 : at + 1 + count], "big"), at + 1 + count

    def _end_of_indefinite(self, at: int, end: int, *, depth: int) -> int:
        """Where the two zeros stand that end an element of indefinite length."""
        if depth > MAX_DEPTH:
            raise ValueError("too deep")
        while self._take():
            if at + 2 > end or self._content[at : at + 2] == b"\x00\x00":
                return at
            size, inner = self._length(at + 1)
            at = inner + size if size >= 0 else self._end_of_indefinite(inner, end, depth=depth + 1) + 2
        raise ValueError("too many elements")
