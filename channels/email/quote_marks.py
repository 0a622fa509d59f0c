"""Recognises the lines that mail programs put between an answer and what it answers.

`keys` are a mail's lines without the white space around them. Whatever is asked looks at a bounded number of lines.
"""

import re
from collections.abc import Sequence

from channels.email import header_blocks, mail_words
from channels.email.header_blocks import ADDRESS, has_date, has_time

MAX_ATTRIBUTION_LINES = 5
MAX_ATTRIBUTION_CHARS = 400
MAX_ATTRIBUTION_WORDS = 24  # where neither an address nor quoted lines decide
MAX_ATTRIBUTIONS = 20  # that stand behind other text
MAX_SEPARATOR_CHARS = 160
_LOOK_BELOW = 4
_MIN_WRAPPED_CHARS = 60

_BARE = r"[^\s<>@()\[\]]{1,64}@[^\s<>@()\[\]]{1,190}"
_BRACKETED = re.compile(rf"[<(\[]\s*(?:mailto:\s*)?{_BARE}\s*[>)\]]|mailto:\s*{_BARE}")
_AT_END = re.compile(rf"{_BARE}\s*(?:[>)\]]+\s*)?[:：]$")
# The word that begins an attribution; only asked for one that stands behind other text.
_BEHIND = re.compile(
    r"(.*?[^\s-])(?:\s*-{2,}\s*|\s+)(?=(?:On|Am|Le|El|Em|A|Il|Op|Den|Dne|Dňa|W dniu|Στις|Pe|På|Kl\.|Dnia|В|Dana|În|Tarihinde|Vào) .{0,30}\d)",
)
_BEGINNINGS = frozenset({"On", "Am", "Le", "El", "Em", "A", "Il", "Op", "Den", "Dne", "Pe", "På", "No"})
_ENDED = re.compile(r":[ \t]*\n(?:\s{0,4}>)?")
_MARKS = "–—‐‑―_=*~#•-"
MARKS = frozenset(_MARKS)
# What desks write above their mails, so that the answer is found.
_ABOVE_THIS = re.compile(
    r"(?i)^[\W_]*(?:please )?(?:type|write|reply|respond|enter|answer)\b.{0,40}\babove this line[\W_]*$"
)
FORWARD_ENDS = frozenset(_MARKS + ":：><")
_SEPARATOR = re.compile(rf"^[{_MARKS}]{{2}}[\s{_MARKS}]*([^\s{_MARKS}].{{0,110}}?)[\s:]*[{_MARKS}]{{2,}}$")
_OPEN_SEPARATOR = re.compile(rf"^[{_MARKS}]{{4,}}\s*([^\s{_MARKS}].{{1,60}})$")
_RULER = re.compile(r"^(?:_{3,}|-{3,}|={3,}|–{3,}|—{2,}|‐{3,}|\*{5,}|#{5,}|~{5,})$")
_QUOTED = re.compile(r"(?:[>｜]|(?:\|\s?)+[^|]*$)(?!.*<$)")
_QUOTE_BEGINS = frozenset(">|｜")
_INITIALS = re.compile(r"[^\W\d_]{1,4}>+(?:\s|$)")
_SENT = re.compile(r"(?i)\bsent\b")  # "Anna sent:" is an attribution, "you sent me this:" is none
_ONLY_TIME = re.compile(r"^[\d./:\-\s,]{8,24}(?:[AaPp]\.?[Mm]\.?|[A-Z]{2,5})?(?:\s[A-Z]{2,5})?$")
_CONTINUES = re.compile(r"^[<(\[\d]|^mailto:|^[^\W\d_A-Z][^\W\d_]")


def is_quoted(keys: Sequence[str], number: int) -> bool:
    """A line that begins with ">" or "|"; neither a line of a table nor one that a mailbox file has escaped (>From)."""
    key = keys[number]
    if key[:1] not in _QUOTE_BEGINS or not _QUOTED.match(key):
        return False
    if key[-1] in ":：" and number and _is_closing_bracket(key, keys[number - 1]):
        return False
    if key.startswith(">From "):
        return any(keys[at][:1] == ">" for at in (number - 1, number + 1) if 0 <= at < len(keys))
    return True


def _is_closing_bracket(key: str, above: str) -> bool:
    """The attribution was broken inside its address: "> wrote:" below "<" and "anna@example.com"."""
    return len(key) <= 24 and above[:1] != ">" and "@" in above and mail_words.WROTE.search(key) is not None


def has_initials(key: str) -> bool:
    """A line quoted as "AB> " by The Bat! and its like; only asked below an attribution or another such line."""
    return bool(_INITIALS.match(key))


def next_written(keys: Sequence[str], number: int) -> int | None:
    """The next line near by that is not empty."""
    return next((at for at in range(number, min(number + _LOOK_BELOW, len(keys))) if keys[at]), None)


def is_quote_next(keys: Sequence[str], number: int) -> bool:
    at = next_written(keys, number)
    return at is not None and (is_quoted(keys, at) or has_initials(keys[at]))


def with_attributions_apart(text: str) -> str:
    """The text with a line break before an attribution that some phones put behind the last word of the answer.

    Without quoted lines below, a sentence or dashes must end before it.
    """
    if ":" not in text:
        return text
    pieces: list[str] = []
    done = 0
    for count, ended in enumerate(_ENDED.finditer(text)):
        if count >= MAX_ATTRIBUTIONS:
            break
        begin = text.rfind("\n", 0, ended.start()) + 1
        at = _behind(text, begin, ended.start() + 1, is_above_quote=text[ended.end() - 1] == ">")
        if at is not None and at[0] >= done:
            pieces += [text[done : at[0]], "\n"]
            done = at[1]
    return "".join((*pieces, text[done:])) if pieces else text


def _behind(text: str, begin: int, end: int, *, is_above_quote: bool) -> tuple[int, int] | None:
    """Where the answer ends and the attribution begins in a line; None when it is one of the two alone."""
    if end - begin > MAX_ATTRIBUTION_CHARS:
        return None
    found = _BEHIND.match(text, begin, end)
    if found is None or text[begin] == ">":
        return None
    own, rest = found[1], text[found.end() : end]
    if has_date(own) or ADDRESS.search(own) or own.strip() in _BEGINNINGS:
        return None
    if not is_above_quote:
        is_ended = own[-1] in ".!?)" or "--" in text[found.end(1) : found.end()]
        return (
            (found.end(1), found.end()) if is_ended and _is_attribution(rest, is_above_quote=False) else None
        )
    return found.end(1), found.end()


def is_forward(key: str) -> bool:
    """A line that announces a forwarded mail, as mail programs write it."""
    if len(key) > MAX_SEPARATOR_CHARS or (key[-1] not in FORWARD_ENDS and key[0] not in _MARKS):
        return False
    return bool(mail_words.FORWARD.match(key.strip(_MARKS + " <>\xa0")))


def may_end_attribution(key: str) -> bool:
    """A colon ends it in nearly every language and program."""
    return key[-1] in ":：" or (key[-1] in "*_" and key.rstrip("*_ ")[-1:] in {":", "："})


def attribution_start(keys: Sequence[str], number: int, *, is_above_quote: bool) -> int | None:
    """Where the attribution ("On … X wrote:") that ends with this line begins; None when it is none.

    Above quoted lines little proof is needed. Without them it must name a date or time and its author, so that a
    customer's own "On Monday at ten they told me:" is none.
    """
    window = ""
    weak: int | None = None
    for at in range(number, max(-1, number - 2 * MAX_ATTRIBUTION_LINES), -1):
        if not keys[at]:
            if window and not window.startswith(("<", "mailto:", "(", ">")):
                break
            continue
        if at < number and (is_quoted(keys, at) or _is_sentence(keys[at])):
            break
        window = f"{keys[at]} {window}" if window else keys[at]
        if len(window) > MAX_ATTRIBUTION_CHARS or at <= number - 2 * MAX_ATTRIBUTION_LINES:
            break
        if weak is not None and not _may_go_on(keys, at):
            break
        if _is_attribution(window, is_above_quote=is_above_quote):
            if has_date(window):
                return _with_lines_above(keys, at, window)
            weak = at
    if weak is not None:
        return _with_lines_above(keys, weak, "@")
    return number if is_above_quote and _is_short_introduction(keys[number]) else None


def _is_sentence(key: str) -> bool:
    """A short line that ends as a sentence does: no wrapped attribution has it."""
    return key[-1] in ".!?" and len(key) < _MIN_WRAPPED_CHARS


def _may_go_on(keys: Sequence[str], at: int) -> bool:
    """Whether a line is the begin of an attribution whose author stands below, not the last line of an answer."""
    return bool(_CONTINUES.match(keys[at + 1])) or (has_date(keys[at]) and has_time(keys[at]))


def _is_attribution(window: str, *, is_above_quote: bool) -> bool:
    has_author = bool(_BRACKETED.search(window) or _AT_END.search(window))
    wrote = mail_words.WROTE.search(window) is not None
    if not has_author and wrote and mail_words.FIRST_PERSON.search(window):
        return False
    dated, timed = has_date(window), has_time(window)
    if is_above_quote:
        return (has_author and (dated or timed or wrote)) or (dated and (timed or wrote)) or (timed and wrote)
    if has_author:
        return (dated and timed) or ((dated or timed) and wrote)
    is_said = wrote and not _SENT.search(window)
    return dated and timed and is_said and len(window.split()) <= MAX_ATTRIBUTION_WORDS


def _is_short_introduction(key: str) -> bool:
    """Right above quoted lines: "Anna wrote:", "Quoting Anna <anna@example.com>:"."""
    if len(key) > MAX_ATTRIBUTION_CHARS:
        return False
    if _BRACKETED.search(key):
        return len(key.split()) <= 12
    wrote = mail_words.WROTE.search(key)
    return wrote is not None and len(key.split()) <= 8 and not mail_words.FIRST_PERSON.search(key)


def _with_lines_above(keys: Sequence[str], at: int, window: str) -> int:
    """The lines above that belong to a wrapped attribution: the author where it is missing, or the begin of a date."""
    above = keys[at - 1] if at else ""
    if not above or is_quoted(keys, at - 1):
        return at
    is_lacking_author = "@" not in window
    if is_lacking_author and len(above) <= MAX_ATTRIBUTION_CHARS and _BRACKETED.search(above):
        return at - 1
    is_first = at < 2 or not keys[at - 2]
    if not is_first or not _CONTINUES.match(keys[at]) or above[-1] in ".!?:;":
        return at
    is_dated = above[-1] == "," and any(character.isdigit() for character in above)
    is_wrapped = _MIN_WRAPPED_CHARS <= len(above) <= MAX_ATTRIBUTION_CHARS
    return at - 1 if is_dated or (is_wrapped and ADDRESS.search(above)) else at


def introduction_of_quote(keys: Sequence[str], number: int) -> int:
    """Where the lines that introduce a quoted block begin; the block itself when there are none."""
    at = number - 1
    while at >= 0 and number - at < _LOOK_BELOW and not keys[at]:
        at -= 1
    if at < 0 or not keys[at] or is_quoted(keys, at):
        return number
    key = keys[at]
    if is_ruler(key) or is_separator(keys, at):
        return at
    if may_end_attribution(key) or mail_words.WROTE.search(key[-24:]):
        found = attribution_start(keys, at, is_above_quote=True)
        return number if found is None else _introduction_above(keys, found)
    if len(key) <= MAX_ATTRIBUTION_CHARS and ADDRESS.search(key) and (has_date(key) or has_time(key)):
        return at
    return number


def _introduction_above(keys: Sequence[str], number: int) -> int:
    """A separator above an attribution ("-------- Original Message --------") goes with it."""
    at = number - 1
    while at >= 0 and number - at <= 2 and not keys[at]:
        at -= 1
    return at if at >= 0 and keys[at] and (is_separator(keys, at) or is_ruler(keys[at])) else number


def is_ruler(key: str) -> bool:
    return bool(_RULER.match(key))


def is_separator(keys: Sequence[str], number: int) -> bool:
    """A line like "-----Original Message-----".

    In a language that is not known by its words it must be followed by what it announces: a customer may write
    "*** URGENT ***" or "--- My order ---".
    """
    key = keys[number]
    if len(key) > MAX_SEPARATOR_CHARS:
        return False
    if _ABOVE_THIS.match(key):
        return True
    found = _SEPARATOR.match(key) or _OPEN_SEPARATOR.match(key)
    if found is None:
        return False
    inner = found[1]
    if mail_words.ORIGINAL.search(inner) or key.startswith("##-"):
        return True
    if mail_words.WROTE.search(inner) and (
        has_time(inner) or _BRACKETED.search(inner) or is_quote_next(keys, number + 1)
    ):
        return True
    if has_time(inner) and has_date(inner) and _BRACKETED.search(inner):
        return True
    below = next_written(keys, number + 1)
    return below is not None and announces(keys, below)


def announces(keys: Sequence[str], number: int) -> bool:
    """Whether a quotation with header fields, an attribution or quoted lines begins here."""
    if is_quoted(keys, number) or header_blocks.end_of(keys, number, is_set_apart=True) is not None:
        return True
    return may_end_attribution(keys[number]) and (
        attribution_start(keys, number, is_above_quote=False) is not None
    )


def is_ruled_block(keys: Sequence[str], number: int) -> bool:
    """A ruler ("________") with header fields below it."""
    if not is_ruler(keys[number]):
        return False
    below = next_written(keys, number + 1)
    return below is not None and header_blocks.end_of(keys, below, is_set_apart=True) is not None


def is_notes_block(keys: Sequence[str], number: int) -> bool:
    """The head of Lotus Notes: the author, below it only a date and time, below that lines with the names of fields."""
    if number + 1 >= len(keys) or not _ONLY_TIME.match(keys[number + 1]) or not has_time(keys[number + 1]):
        return False
    labels = (mail_words.LABELS.get(key.rstrip(":").lower()) for key in keys[number + 2 : number + 14] if key)
    return len({label for label in labels if label in {"to", "subject", "from"}}) >= 2


def introduction_start(keys: Sequence[str], number: int) -> int:
    """Where the separator or ruler right above a block of header fields begins; the block itself without one."""
    return _introduction_above(keys, number)
