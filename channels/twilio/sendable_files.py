"""Which files Twilio sends, by text and by WhatsApp, and what they are called there; a table, and pure.

Source: twilio.com/docs/messaging/guides/accepted-mime-types (of 2026-07-07, checked 2026-11): types, which of them go together
with words, names; /docs/whatsapp/guidance-whatsapp-media-messages: 16 MB, of a picture 5 MB, one file in a message (more are
ignored); help centre "Sending and receiving MMS messages": ten files of 5 MB together, from numbers of the USA and Canada.
Twilio looks at the Content-Type that it is given with the file, and refuses what does not fit. A picture that is too large can
be made smaller (`targets`), which whoever sends it does; `as_sent` is what comes of that.
"""

import re
import unicodedata
from collections.abc import Sequence

WHATSAPP, SMS = "whatsapp", "sms"
NAME_CHARS = 20
FITTED_TYPE = "image/jpeg"
_MB = 1_000_000
_PICTURE_MAX_BYTES = 5 * _MB  # of one by WhatsApp, and of all files of an MMS together
_LEAST_BYTES = 100_000  # with less nobody can see what is in a picture
_SHRINKING = frozenset(("image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif"))

# On WhatsApp words beside them are dropped.
_WORDLESS = frozenset(
    ("image/gif", "image/heic", "image/heif", "image/tiff", "image/bmp",
     "video/mpeg4", "video/mpeg", "video/webm", "video/quicktime", "video/3gpp", "video/3gpp2",
     "audio/mp4", "audio/mp3", "audio/3gpp2", "audio/basic", "audio/l24", "audio/webm", "audio/amr-nb", "audio/vnd.wave",
     "text/vcard", "text/directory", "text/csv", "text/richtext", "text/rtf", "text/calendar")
)  # fmt: skip
_WORDY = frozenset(
    ("image/jpeg", "image/jpg", "image/png", "video/mp4",
     "audio/ogg", "audio/mpeg", "audio/3gpp", "audio/ac3", "audio/amr", "text/x-vcard", "application/pdf")
)  # fmt: skip
_NOT_BY_TEXT = frozenset(
    ("image/webp", "application/vcard", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
     "application/vnd.openxmlformats-officedocument.presentationml.presentation",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
)  # fmt: skip
_BY_WHATSAPP = _WORDLESS | _WORDY | _NOT_BY_TEXT
_BY_TEXT = _WORDLESS | _WORDY


def type_of(written: str) -> str | None:
    """Return the type under which a file is given to Twilio; None = it is none that Twilio sends."""
    plain = written.partition(";")[0].strip().lower()
    return plain if plain in _BY_WHATSAPP else None


def against(medium: str, files: Sequence[tuple[str, int]], *, has_words: bool) -> str | None:
    """Say why files cannot go along, in words that end with what the medium takes; None = they can.

    files: content type and size in bytes of each. has_words: there is a text beside them.
    """
    is_whatsapp = medium == WHATSAPP
    most, max_mb = (1, 16) if is_whatsapp else (10, 5)
    types = [type_of(written) for written, _ in files]
    size_bytes = sum(size for _, size in files)
    strange = [
        written for (written, _), each in zip(files, types, strict=True) if not _is_taken(each, medium)
    ]
    if strange:
        return f"{medium} carries no files of the type {strange[0]}"
    if len(files) > most:
        return f"{medium} carries {most} file{'s' if most > 1 else ''} in a message, not {len(files)}"
    if size_bytes > max_mb * _MB:
        return f"the files have {size_bytes:,} bytes, and {medium} carries {max_mb} MB"
    if is_whatsapp and (types[0] or "").startswith("image/") and size_bytes > 5 * _MB:
        return f"the picture has {size_bytes:,} bytes, and whatsapp carries pictures of 5 MB"
    if is_whatsapp and has_words and types[0] in _WORDLESS:
        return f"whatsapp shows no words beside a file of the type {types[0]}: send them by themselves"
    return None


def targets(medium: str, files: Sequence[tuple[str, int]]) -> dict[int, int]:
    """Return which pictures have to become smaller so that all files go along: place -> bytes at most; {} = none, or in vain.

    files: as `against`. What is small already stays; the rest share what is left evenly.
    """
    sizes = [size for _, size in files]
    pictures = [place for place, (written, _) in enumerate(files) if _shrinks(written)]
    if medium == WHATSAPP and len(files) > 1:
        return {}
    if not pictures or sum(sizes) <= _PICTURE_MAX_BYTES:
        return {}
    left, found = _PICTURE_MAX_BYTES - sum(sizes) + sum(sizes[place] for place in pictures), dict[int, int]()
    for sharing, place in zip(
        range(len(pictures), 0, -1), sorted(pictures, key=sizes.__getitem__), strict=True
    ):
        share = left // sharing
        if sizes[place] > share:
            found[place] = share
        left -= min(sizes[place], share)
    return found if min(found.values(), default=0) >= _LEAST_BYTES else {}


def as_sent(medium: str, files: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return type and size of each file once pictures have become as small as they have to."""
    smaller = targets(medium, files)
    return [(FITTED_TYPE, smaller[place]) if place in smaller else file for place, file in enumerate(files)]


def jpeg_name(name: str) -> str:
    """Return the name of a picture that has become a JPEG."""
    stem, dot, _ = name.rpartition(".")
    return f"{stem if dot and stem else name}.jpg"


def is_carrier(medium: str) -> bool:
    """Whether files of a medium go by Twilio."""
    return medium in {WHATSAPP, SMS}


def _shrinks(written: str) -> bool:
    return written.partition(";")[0].strip().lower() in _SHRINKING


def _is_taken(content_type: str | None, medium: str) -> bool:
    return content_type in (_BY_WHATSAPP if medium == WHATSAPP else _BY_TEXT)


def name_of(name: str) -> str:
    """Return the name as Twilio wants it: ASCII letters, digits, points and dashes, NAME_CHARS at most, its ending kept."""
    stem, dot, ending = name.rpartition(".")
    stem, ending = (stem, f".{_plain(ending)[:8]}") if dot and stem else (ending, "")
    return f"{_plain(stem)[: NAME_CHARS - len(ending)].strip('-.') or 'file'}{ending}"


def _plain(text: str) -> str:
    ascii_ = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9.-]+", "-", ascii_).strip("-.")
