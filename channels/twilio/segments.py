"""How many texts a text is: its encoding, its segments, and which characters make it dear; pure.

A segment has 140 octets: 160 characters of the GSM 7-bit alphabet (3GPP TS 23.038 §6.2.1; those of its extension table,
§6.2.1.1, count two) or 70 UTF-16 units. One character outside the alphabet puts the whole text in UCS-2. A text of several
segments has a header in each: 153 and 67 remain; from a toll-free number of North America the header is longer, and 152
and 66 remain. Neither an escaped character nor a surrogate pair is divided. Twilio takes 1,600 characters and advises
320 at most: twilio.com/docs/glossary/what-sms-character-limit and its segment calculator (checked 2026-11).
"""

import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

GSM, UCS2 = "GSM-7", "UCS-2"
MAX_CHARACTERS = 1_600
SOFT_CHARACTERS = 320
FORCING_SHOWN = 50

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
# North America's numbers that cost the caller nothing; 822 and the like are not assigned yet.
_TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
# What typing aids put in, and what reads the same. Letters with marks are taken apart by Unicode.
_INSTEAD = {
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'", "´": "'", "ʼ": "'", "‹": "<", "›": ">",
    "“": '"', "”": '"', "„": '"', "‟": '"', "″": '"', "«": '"', "»": '"',
    "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "•": "-", "·": ".",
    "…": "...", "\t": " ", "\u2028": "\n", "\u2029": "\n", "\u2009": " ", "\u200a": " ",
    "\u200b": "", "\u200c": "", "\u200e": "", "\u200f": "", "\u2060": "", "\ufeff": "", "\u00ad": "",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ħ": "h", "ı": "i", "œ": "oe", "Œ": "OE", "×": "x", "÷": ":",
    "©": "(c)", "®": "(r)", "™": "(tm)", "°": "deg", "№": "No.", "ẞ": "SS", "→": "->", "←": "<-",
}  # fmt: skip

Encoding = Literal["GSM-7", "UCS-2"]


class Forcing(msgspec.Struct, frozen=True):
    """A character that forces UCS-2. at: its place, in characters from 0; instead: what may stand there, None = nothing."""

    at: int
    character: str
    name: str
    instead: str | None


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a text costs. characters: as Twilio's limit counts them, UTF-16 units; units: septets, or UTF-16 units.

    left: units that the last segment has room for. forcing: the characters that made it UCS-2, the first FORCING_SHOWN.
    """

    encoding: Encoding
    characters: int
    units: int
    segments: int
    left: int
    forcing: tuple[Forcing, ...] = ()

    @property
    def is_too_long(self) -> bool:
        return self.characters > MAX_CHARACTERS

    @property
    def is_long(self) -> bool:
        """Whether it is longer than Twilio advises: some phones show it in pieces, some carriers drop it."""
        return self.characters > SOFT_CHARACTERS


def figures(text: str, *, own: str = "") -> Figures:
    """Count a text. own: the number it leaves from, which matters where it is toll-free."""
    forced = [(at, each) for at, each in enumerate(text) if each not in _BASIC and each not in _EXTENDED]
    encoding: Encoding = "UCS-2" if forced else "GSM-7"
    sizes = [_units(each) for each in text] if forced else [2 if each in _EXTENDED else 1 for each in text]
    single, several = _room(encoding, own)
    segments, left = _packed(sizes, single, several)
    return Figures(
        encoding=encoding,
        characters=sum(map(_units, text)),
        units=sum(sizes),
        segments=segments,
        left=left,
        forcing=tuple(_forcing(at, each) for at, each in forced[:FORCING_SHOWN]),
    )


def _room(encoding: Encoding, own: str) -> tuple[int, int]:
    """Return how many units fit into a segment that is alone, and into one of several."""
    header = 1 if is_toll_free(own) else 0
    return (160, 153 - header) if encoding == GSM else (70, 67 - header)


def _packed(sizes: list[int], single: int, several: int) -> tuple[int, int]:
    """Return how many segments there are, and the room left in the last; what has two units stays together."""
    total = sum(sizes)
    if total <= single:
        return (1 if sizes else 0), single - total
    segments, used = 1, 0
    for size in sizes:
        if used + size > several:
            segments, used = segments + 1, 0
        used += size
    return segments, several - used


def _units(character: str) -> int:
    """Return how many UTF-16 units a character has."""
    return 2 if ord(character) > 0xFFFF else 1


def is_toll_free(number: str) -> bool:
    return number.startswith(_TOLL_FREE)


def _forcing(at: int, character: str) -> Forcing:
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    return Forcing(at, character, name, instead_of(character))


def instead_of(character: str) -> str | None:
    """Return what of the GSM alphabet reads the same; None = nothing does."""
    if character in _INSTEAD:
        return _INSTEAD[character]
    parts = unicodedata.normalize("NFKD", character)
    plain = "".join(each for each in parts if not unicodedata.combining(each))
    is_known = bool(plain) and all(each in _BASIC or each in _EXTENDED for each in plain)
    return plain if is_known else None


def plainer(text: str) -> str:
    """Return the text with everything replaced that reads the same in the GSM alphabet; the rest stays."""
    return "".join(
        each if each in _BASIC or each in _EXTENDED else (instead if instead is not None else each)
        for each, instead in ((each, instead_of(each)) for each in text)
    )


def cost(segments: int, price: str) -> str | None:
    """Return what so many segments cost, at "0.0079 USD" for one; None = no price is known."""
    amount, _, currency = price.strip().partition(" ")
    try:
        total = Decimal(amount) * segments
    except InvalidOperation:
        return None
    return f"{total.normalize():f} {currency}".strip()


def cut(text: str, *, most: int = MAX_CHARACTERS) -> str:
    """Return what Twilio takes of a text; what is cut is shown by an ellipsis of the GSM alphabet."""
    if sum(map(_units, text)) <= most:
        return text
    kept, room = [], most - 3
    for each in text:
        room -= _units(each)
        if room < 0:
            break
        kept.append(each)
    return "".join(kept).rstrip() + "..."
