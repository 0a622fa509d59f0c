"""Recognises what stands below an answer without being one: signatures, lines of phones and programs, disclaimers, list footers.

Only what is marked as such, or written by a machine, counts: a name below "Kind regards" is the customer's own word and stays.
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from channels.email import header_blocks, mail_words

MAX_SIGNATURE_LINES = 20  # below "-- "; RFC 3676 §4.3 asks for four
MAX_RULED_LINES = 10  # below a ruler that only looks like a signature's
MAX_RULED_CHARS = 90
MAX_FOOTER_CHARS = 200
MAX_FOOTER_WORDS = 14
MAX_SCAN_WORDS = 30
MAX_FOOTERS = 6
MIN_DISCLAIMER_CHARS = 120
MAX_DISCLAIMER_CHARS = 4_000
MAX_PLEA_CHARS = 400
MAX_DISCLAIMERS = 5
MIN_PLEA_SPACES = 2  # below it is nearly always a name

_MARK = re.compile(r"^(?:-{2,3}|[—–]{1,2}|‐{2,3}|_{2,4})$")
_LONG_RULER = re.compile(r"^(?:_{5,}|-{4,}|={5,}|\*{5,})$")
_NAME = re.compile(r"^[-–—~]{1,2}([^\W\d_][\w.'’-]*(?:\s[^\W\d_][\w.'’-]*){0,2})[.!]?$")
_NO_NAME = re.compile(r":|[.!?,;]$")
_SENTENCE = re.compile(r"[.!?][)\"']?$|\?")
_CONTACT = re.compile(r"\S@[^\s@]+\.\w|www\.|://|\+\d[\d\s()/-]{6,}")
_LINK = re.compile(r"[<(\[]{0,3}\s{0,3}https?://[^\s>)\]]*\s{0,3}[>)\]]{0,3}")
_ONLY_LINK = re.compile(r"^[<(\[]*\s*(?:https?://|www\.)[^\s>)\]]*\s*[>)\]]*$")
_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]")
_NAMES_MAIL = re.compile(
    r"(?i)mail|messag|mensaje|mensagem|wiadomo|nachricht|письм|лист|сообщени|zpráv|správ|μήνυμα|bericht|mesaj|e-post|viesti|üzenet|besked|melding"
)
_WRAPPING = " .*_[]<>()!·|\u2063\u200b"
_BEGINS_SENT = re.compile(
    rf"(?i)^(?:this (?:e-?mail|message|mail) (?:was|has been) |message |mensaje |mensagem |messaggio |wiadomość |zpráva |správa |e-?mail )?(?:{mail_words.SENT_STEM})(?!\w*\?)"
)
_ENDS_SENT = re.compile(rf"(?i)(?:{mail_words.SENT_STEM})$")
_BEGINS_GET = re.compile(rf"(?i)^(?:{mail_words.GET_STEM})(?!\w)")
_ENDS_GET = re.compile(rf"(?i)(?:(?<![a-zà-ÿ])(?:{mail_words.GET_STEM}))$")
_SENTENCE_BEGINS = re.compile(
    r"(?i)^(?:i|we|it|he|she|they|you|ich|wir|es|er|sie|das|je|nous|il|elle|on|ik|we|wij|hij|jag|vi|jeg|det|den|io|я|мы|он|она|они|ми|ja|my|ona)\s"
)
_FROM_MY = re.compile(r"(?i)^sent (?:via|from|with|using|by) (?:my |the |a )?\w+(?: \w+){0,4}$")


def signature_mark(lines: Sequence[str], keys: Sequence[str], begin: int, end: int) -> int | None:
    """The first line from `begin` to `end` below which only a signature stands; None when there is none."""
    for number in range(_few_below(keys, begin, end), end):
        key = keys[number]
        if not key or key[0] not in "-–—‐_=*":
            continue
        if key in {"--", "—", "–"}:
            is_marked = lines[number].rstrip("\r") == "-- "
            below = [each for each in keys[number + 1 : end] if each]
            if len(below) < MAX_SIGNATURE_LINES and (is_marked or not any(map(_asks, below))):
                return number
        elif (_MARK.match(key) or _LONG_RULER.match(key)) and _is_signature(keys, number, end):
            return number
    return None


def _few_below(keys: Sequence[str], begin: int, end: int) -> int:
    """The first line with no more lines below it than a signature may have: those above need not be asked."""
    written = 0
    for number in range(end - 1, begin - 1, -1):
        written += bool(keys[number])
        if written > MAX_SIGNATURE_LINES:
            return number + 1
    return begin


def _is_signature(keys: Sequence[str], number: int, end: int) -> bool:
    """Below a ruler that customers also draw between their paragraphs: a few short lines, none of them a sentence.

    Without an address or a link among them it must be a name or two; a long ruler needs one, in one paragraph, as the
    footers of mailing lists have it.
    """
    below = [key for key in keys[number + 1 : end] if key]
    if not below or len(below) > MAX_RULED_LINES or sum(map(len, below)) > MAX_RULED_CHARS * len(below):
        return False
    if len(below) <= 4 and mail_words.SCANNER.search(" ".join(below)):
        return True
    if any(_is_prose(key) for key in below):
        return False
    has_contact = any(_CONTACT.search(key) and len(key.split()) <= 6 for key in below)
    if not _MARK.match(keys[number]):
        paragraph = keys[number + 1 : end]
        has_contact = has_contact and any("@" in key or "www." in key or "://" in key for key in below)
        return has_contact and 2 <= len(below) <= 6 and not any(_has_gap(paragraph))
    is_name = len(below) <= 3 and all(len(key.split()) <= 5 and not _NO_NAME.search(key) for key in below)
    return (
        has_contact
        or is_footer(" ".join(below))
        or (is_name and below[0][0].isalpha() and not below[0][0].islower())
    )


def _has_gap(paragraph: Sequence[str]) -> list[bool]:
    """Whether something stands below an empty line, for each line but the first."""
    written = [at for at, key in enumerate(paragraph) if key]
    return [behind - before > 1 for before, behind in pairwise(written)]


def _is_prose(key: str) -> bool:
    return len(key.split()) > 3 and bool(_SENTENCE.search(key)) and "://" not in key


def _asks(key: str) -> bool:
    return "?" in key and "://" not in key and "www." not in key


def name_line(keys: Sequence[str], begin: int, end: int) -> int | None:
    """The last line when it is "-Anna" or "-Anna Example". With a space behind the dash it may be an item of a list."""
    last = _last_written(keys, begin, end)
    if last <= begin:
        return None
    found = _NAME.match(keys[last])
    if found is None or not found[1][:1].isupper():
        return None
    above = next((keys[at] for at in range(last - 1, begin - 1, -1) if keys[at]), "")
    is_item = not above or above[-1] in ":：,;" or above[0] in "-–—*•·"
    is_apart = not keys[last - 1] or above[-1:] in set(".!?")
    return None if is_item or not is_apart else last


def footer_start(keys: Sequence[str], begin: int, end: int) -> int:
    """Where the lines of phones, programs and virus scanners at the end begin; `end` when there are none."""
    start = end
    for _ in range(MAX_FOOTERS):
        last = _last_written(keys, begin, start)
        if last <= begin:
            return start
        first = _paragraph_start(keys, begin, last)
        if is_footer(keys[last]) and not (first < last and _is_scanner(keys[last])):
            start = last
        elif (
            _ONLY_LINK.match(keys[last]) and last - 1 > begin and keys[last - 1] and is_footer(keys[last - 1])
        ):
            start = last - 1
        elif begin < first < last and _is_wrapped_footer(keys[first : last + 1]):
            start = first
        else:
            return start
    return start


def _last_written(keys: Sequence[str], begin: int, end: int) -> int:
    """The last line above `end` that is not empty; `begin` or less when none is below that one."""
    last = end - 1
    while last > begin and not keys[last]:
        last -= 1
    return last


def _paragraph_start(keys: Sequence[str], begin: int, last: int) -> int:
    """The first line of the paragraph; a long one is no footer, so four lines are enough to look at."""
    first = last
    while first > begin and last - first < 4 and keys[first - 1]:
        first -= 1
    return first


def _is_wrapped_footer(paragraph: Sequence[str]) -> bool:
    """One line of a program that was broken: a scanner's note, or "Sent from" with the rest of it below."""
    joined = " ".join(paragraph)
    if not _is_scanner(joined):
        is_one = not any(_SENTENCE.search(key) for key in paragraph[:-1])
        return len(paragraph) == 2 and is_one and bool(_BEGINS_SENT.match(paragraph[0])) and is_footer(joined)
    return is_footer(joined)


def _is_scanner(key: str) -> bool:
    return mail_words.SCANNER.search(key) is not None


def is_footer(key: str) -> bool:
    """A line that names the device or program and says "sent from" or "get", in any order, and no sentence of a person."""
    text = (_LINK.sub(" ", key) if "://" in key else key).strip(_WRAPPING).strip()
    words = len(text.split())
    if not text or len(text) > MAX_FOOTER_CHARS or words > MAX_SCAN_WORDS or text[-1] == "?":
        return False
    if _SENTENCE_BEGINS.match(text) or (words > MAX_FOOTER_WORDS and not _is_scanner(text)):
        return False
    if mail_words.SCANNER.search(text):
        return bool(_LINK.search(key) or "www." in key or (_is_scan(text) and _NAMES_MAIL.search(text)))
    if mail_words.PRODUCT.search(text) is None:
        return bool(_FROM_MY.match(text)) and (text.lower().startswith("sent from my") or "://" in key)
    if _BEGINS_SENT.match(text):
        before, _, behind = text.partition(",")
        return bool(mail_words.PRODUCT.search(before) or mail_words.PRODUCT.match(behind.lstrip()))
    if _ENDS_SENT.search(text):
        return "," not in text
    is_offer = bool(_BEGINS_GET.match(text) or _ENDS_GET.search(text) or mail_words.PROGRAM.match(text))
    has_two = len({found[0].lower() for found in mail_words.PRODUCT.finditer(text)}) >= 2
    return is_offer and words <= 8 and (has_two or _is_slogan(text))


def _is_scan(text: str) -> bool:
    return any(word in text.lower() for word in ("vir", "вирус", "вірус", "ιο", "scan", "geprüft", "checked"))


def _is_slogan(text: str) -> bool:
    """A program's name and what it says of itself: "Yahoo Mail: Search, Organize, Conquer"."""
    name, colon, rest = text.partition(":")
    return bool(colon) and len(name.split()) <= 3 and rest.count(",") >= 1 and len(rest.split()) <= 6


def disclaimer_start(keys: Sequence[str], begin: int, end: int) -> int:
    """Where the legal paragraphs at the end begin; the first paragraph never is one; `end` when there are none."""
    start = end
    at = end
    for _ in range(MAX_DISCLAIMERS):
        while at > begin and not keys[at - 1]:
            at -= 1
        last = at
        while at > begin and keys[at - 1]:
            at -= 1
        if at <= begin or last == at:
            break
        paragraph = " ".join(keys[at:last])
        if not is_disclaimer(paragraph):
            break
        start = at
    return start


def is_disclaimer(paragraph: str) -> bool:
    """Boilerplate that a company's server adds: confidential and for nobody else, or a plea not to print it."""
    may_plead = len(paragraph) < MAX_PLEA_CHARS and paragraph.count(" ") >= MIN_PLEA_SPACES
    if may_plead and "?" not in paragraph and mail_words.PRINT_PLEA.match(paragraph):
        return header_blocks.ADDRESS.search(paragraph) is None and _NAMES_MAIL.search(paragraph) is not None
    if not MIN_DISCLAIMER_CHARS <= len(paragraph) <= MAX_DISCLAIMER_CHARS:
        return len(paragraph) >= MIN_DISCLAIMER_CHARS // 3 and _is_dense(paragraph)
    return mail_words.CONFIDENTIAL.is_in(paragraph) and mail_words.STRANGER.is_in(paragraph)


def _is_dense(paragraph: str) -> bool:
    """Chinese, Japanese and Korean say as much in a third of the characters."""
    if not _EAST_ASIAN.search(paragraph):
        return False
    return mail_words.CONFIDENTIAL.is_in(paragraph) and mail_words.STRANGER.is_in(paragraph)
