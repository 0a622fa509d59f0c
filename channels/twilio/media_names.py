"""What the files of a text are called, and where Twilio keeps them, as its request says; pure.

Content types: those that Twilio takes (twilio.com/docs/messaging/guides/accepted-mime-types, checked 2026-11) and some more.
"""

import re

MAX_FILES = 10
_PART = "media:"
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,80}")
_FAMILIES = frozenset(("image", "audio", "video"))
# An error page (Twilio's own are XML and JSON), and what a browser would run.
_REFUSED = re.compile(
    r"text/(html|xml|javascript)|.*\+xml|application/(xml|json|javascript|xhtml.*)|image/svg.*|multipart/.*|message/.*"
)
_ENDINGS = {
    "image/jpeg": "jpg", "image/jpg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp",
    "image/heic": "heic", "image/tiff": "tiff", "image/bmp": "bmp",
    "audio/ogg": "ogg", "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/mp4": "m4a", "audio/aac": "aac",
    "audio/amr": "amr", "audio/3gpp": "3gp", "audio/wav": "wav", "audio/x-wav": "wav", "audio/l24": "l24",
    "video/mp4": "mp4", "video/3gpp": "3gp", "video/mpeg": "mpeg", "video/quicktime": "mov", "video/webm": "webm",
    "text/vcard": "vcf", "text/x-vcard": "vcf", "text/directory": "vcf", "application/vcard": "vcf",
    "text/plain": "txt", "text/csv": "csv", "text/calendar": "ics", "text/rtf": "rtf",
    "application/pdf": "pdf", "application/msword": "doc", "application/rtf": "rtf", "application/zip": "zip",
    "application/vnd.ms-excel": "xls", "application/vnd.ms-powerpoint": "ppt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
}  # fmt: skip
_UNKNOWN = "application/octet-stream"


def part(number: int) -> str:
    """Return where the file stands in its message: "media:0" is that of MediaUrl0."""
    return f"{_PART}{number}"


def references(form: dict[str, str]) -> dict[str, str]:
    """Return where the files of an incoming message are kept: part -> reference."""
    named = {part(number): form.get(f"MediaUrl{number}", "") for number in range(MAX_FILES)}
    return {where: url for where, url in named.items() if url}


def content_type_of(written: str) -> str:
    """Return a content type without its parameters; application/octet-stream when it is none."""
    kind = written.partition(";")[0].strip().lower()
    return kind if _TYPE.fullmatch(kind) else _UNKNOWN


def name_of(content_type: str, number: int) -> str:
    """Return a name for a file that has none: "image-1.jpg", "contact-2.vcf"."""
    family, ending = content_type.partition("/")[0], _ENDINGS.get(content_type, "bin")
    stem = "contact" if ending == "vcf" else family if family in _FAMILIES else "file"
    return f"{stem}-{number}.{ending}"


def is_kept(content_type: str) -> bool:
    """Tell whether a file of this type may be a customer's, and is harmless while nobody opens it."""
    return not _REFUSED.fullmatch(content_type)
