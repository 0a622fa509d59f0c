"""Writes winmail.dat for tests, after [MS-OXTNEF] §2.1: attributes with checksums, MAPI properties padded to four bytes."""

import struct

SIGNATURE = b"\x78\x9f\x3e\x22\x01\x00"
Property = tuple[int, int, bytes]  # type, number, value


def attribute(level: int, name: int, value: bytes) -> bytes:
    return struct.pack("<BII", level, name, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def properties(*wanted: Property) -> bytes:
    return struct.pack("<I", len(wanted)) + b"".join(_property(*each) for each in wanted)


def _property(kind: int, number: int, value: bytes) -> bytes:
    head = struct.pack("<HH", kind, number)
    if kind in (0x001E, 0x001F, 0x000D, 0x0102):
        return head + struct.pack("<II", 1, len(value)) + value + b"\0" * (-len(value) % 4)
    return head + value


def named_property(value: int) -> bytes:
    """A property with a name of its own, to be skipped."""
    name = "Kennzeichen\0".encode("utf-16-le")
    named = b"G" * 16 + struct.pack("<II", 1, len(name)) + name + b"\0" * (-len(name) % 4)
    return struct.pack("<HH", 0x0003, 0x8001) + named + struct.pack("<I", value)


def unicode_property(number: int, text: str) -> Property:
    return 0x001F, number, (text + "\0").encode("utf-16-le")


def stream(*attributes: bytes, code_page: int = 1252) -> bytes:
    page = struct.pack("<II", code_page, 0)
    return SIGNATURE + attribute(1, 0x0006_9007, page) + b"".join(attributes)


def message(*wanted: Property) -> bytes:
    return attribute(1, 0x0006_9003, properties(*wanted))


def file(title: bytes, content: bytes, *wanted: Property) -> bytes:
    begin = attribute(2, 0x0006_9002, b"\0" * 14)
    named = attribute(2, 0x0001_8010, title + b"\0") + attribute(2, 0x0006_800F, content)
    return begin + named + (attribute(2, 0x0006_9005, properties(*wanted)) if wanted else b"")


def packed_rtf(document: bytes) -> bytes:
    """A packed property of nothing but literals, and a last reference that ends it."""
    body = bytearray()
    for at in range(0, len(document), 8):
        piece = document[at : at + 8]
        if len(piece) == 8:
            body += b"\0" + piece
        else:
            body += bytes((1 << len(piece),)) + piece + _end(len(document))
    if len(document) % 8 == 0:
        body += b"\x01" + _end(len(document))
    return struct.pack("<IIII", len(body) + 12, len(document), 0x7546_5A4C, 0) + bytes(body)


def _end(written: int) -> bytes:
    return (((207 + written) % 4096) << 4).to_bytes(2, "big")
