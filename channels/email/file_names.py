"""Names of attachments: out of what the sender declares, safe on every system, made up from the type when there is none."""

import mimetypes
import re
from urllib.parse import unquote

MAX_NAME_CHARS = 200
MAX_NAME_BYTES = 240  # file systems take 255
_UNSAFE = re.compile(
    '[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff<>:"|?*]+'
)
# Names that Windows takes for devices, with any extension.
_RESERVED = re.compile(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,8}$")
# What the standard library's table lacks, or names otherwise on other systems.
_EXTENSIONS = {
    "message/rfc822": ".eml", "message/global": ".eml", "message/news": ".eml", "text/calendar": ".ics", "application/ics": ".ics", "text/plain": ".txt",
    "text/html": ".html", "image/jpeg": ".jpg", "image/jpg": ".jpg", "image/pjpeg": ".jpg", "image/png": ".png", "image/x-png": ".png", "image/gif": ".gif",
    "image/tiff": ".tiff", "image/bmp": ".bmp", "image/svg+xml": ".svg", "image/webp": ".webp", "image/heic": ".heic", "image/x-icon": ".ico",
    "application/pdf": ".pdf", "application/x-pdf": ".pdf", "text/csv": ".csv", "text/vcard": ".vcf", "text/x-vcard": ".vcf", "text/directory": ".vcf",
    "message/delivery-status": ".txt", "message/global-delivery-status": ".txt", "message/disposition-notification": ".txt", "text/rfc822-headers": ".txt",
    "message/feedback-report": ".txt", "text/enriched": ".txt", "text/richtext": ".txt", "text/rtf": ".rtf", "application/rtf": ".rtf", "text/xml": ".xml",
    "application/xml": ".xml", "application/json": ".json", "application/zip": ".zip", "application/x-zip-compressed": ".zip", "application/gzip": ".gz",
    "application/x-gzip": ".gz", "application/x-tar": ".tar", "application/msword": ".doc", "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt", "application/postscript": ".ps", "application/pgp-signature": ".asc", "application/pgp-encrypted": ".asc",
    "application/pgp-keys": ".asc", "application/pkcs7-mime": ".p7m", "application/x-pkcs7-mime": ".p7m", "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s", "application/ms-tnef": ".dat", "audio/basic": ".au", "audio/mpeg": ".mp3", "audio/wav": ".wav", "audio/x-wav": ".wav",
    "audio/amr": ".amr", "audio/mp4": ".m4a", "audio/ogg": ".ogg", "video/mp4": ".mp4", "video/mpeg": ".mpg", "video/quicktime": ".mov", "video/3gpp": ".3gp",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx", "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
}  # fmt: skip


def from_location(location: str) -> str:
    """The last piece of a Content-Location; "" when it is no file's name."""
    last = location.partition("?")[0].partition("#")[0].strip().replace(" ", "").rsplit("/", 1)[-1]
    name = unquote(last)
    return name if _EXTENSION.search(name) else ""


def from_description(description: str) -> str:
    """A Content-Description that is a file's name; "" when it is prose."""
    return description if _EXTENSION.search(description) and len(description) <= MAX_NAME_CHARS else ""


def safe(name: str, *, content_type: str, number: int = 1) -> str:
    """A name without path, control, bidirectional and shell characters; a made-up one when nothing is left."""
    if name.isalnum() and len(name) < MAX_NAME_CHARS // 4 and not _RESERVED.match(name):
        return name
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", " ".join(name.split())).strip(". ")
    if _RESERVED.match(name):
        name = f"_{name}"
    if len(name) > MAX_NAME_CHARS or len(name.encode()) > MAX_NAME_BYTES:
        name = _shortened(name)
    if name.strip("_. "):
        return name
    return f"attachment-{number}{extension_of(content_type)}"


def _shortened(name: str) -> str:
    """Cut in the middle: the extension says what to open it with."""
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    ending = f".{extension[:16]}" if dot else ""
    stem = stem[: MAX_NAME_CHARS - 20]
    room = MAX_NAME_BYTES - len(ending.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + ending


def extension_of(content_type: str) -> str:
    """With its dot; "" for a type that nobody knows."""
    return _EXTENSIONS.get(content_type) or mimetypes.guess_extension(content_type, strict=True) or ""
