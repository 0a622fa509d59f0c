"""What a file is, by its first bytes. What is known to no table here is text, when it reads as text, or just bytes."""

import zipfile
from io import BytesIO

BYTES = "application/octet-stream"
LOOKED_AT = 512
TEXT_LOOKED_AT = 4_096
# Where a browser or a program would run something: what begins so is never called anything harmless.
_MARKUP = (
    b"<!doctype",
    b"<html",
    b"<?xml",
    b"<svg",
    b"<script",
    b"<head",
    b"<body",
    b"<iframe",
    b"<!--",
    b"<math",
)
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"OggS", "audio/ogg"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"PK\x03\x04", "application/zip"),
)
_IN_ZIP = (
    ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_NAMES_LOOKED_AT = 200


def type_of(body: bytes) -> str:
    """Return the media type of a file."""
    found = next((name for at, mark, name in _SIGNATURES if body[at : at + len(mark)] == mark), None)
    if found == "application/zip":
        return _inside(body)
    if found is not None:
        return found
    return _text(body)


def _inside(body: bytes) -> str:
    """Tell office documents from other archives. Nothing is unpacked."""
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            names = archive.namelist()[:_NAMES_LOOKED_AT]
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return BYTES
    if names[:1] == ["mimetype"]:
        declared = body[38 : 38 + 64]
        for name in (b"opendocument.text", b"opendocument.spreadsheet"):
            if declared.startswith(b"application/vnd.oasis." + name):
                return f"application/vnd.oasis.{name.decode()}"
    return next(
        (type_ for start, type_ in _IN_ZIP if any(each.startswith(start) for each in names)),
        "application/zip",
    )


def _text(body: bytes) -> str:
    """Return what a file without a signature is: markup, words, or bytes."""
    start = body[:LOOKED_AT].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(_MARKUP):
        return "image/svg+xml" if b"<svg" in start else "text/html"
    if not body or b"\0" in body[:LOOKED_AT]:
        return BYTES
    begin = body[:TEXT_LOOKED_AT]
    try:
        begin.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_cut = len(body) > TEXT_LOOKED_AT and error.start >= TEXT_LOOKED_AT - 3
        return "text/plain" if is_cut else BYTES
    return "text/plain"
