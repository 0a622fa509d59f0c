"""The desk's own facts of a ticket: given by rules, people or forms, or found in the text.

Kept as text, compared by their type. A number may be written as people do: `1 234,50`, `1,234.50`, `-3`; of a comma and
a point the later one is the decimal sign, a sign that stands several times is none. A date is `2026-11-30` or
`30.11.2026`; a flag is yes or no, true or false.
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from routing import folding, regex
from routing.facts import Facts
from routing.regex import Pattern

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

FieldType = Literal["text", "number", "date", "flag", "choice"]

MAX_CHARACTERS = 500  # of a value found in a text
_MAX_TRIES = 20
_FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?\Z", re.ASCII)
_SPACES = re.compile(r"(?<=\d)[ \u00a0\u202f'](?=\d)")
_LOCAL_DATE = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\Z", re.ASCII)


class FieldRule(msgspec.Struct, frozen=True, eq=False):
    """type: what its text must look like. extract: pattern whose first group is the value, None = not extracted.

    choices: the values a choice may have.
    """

    name: str
    type: FieldType = "text"
    extract: Pattern | None = None
    choices: tuple[str, ...] = ()


def extracted(rulebook: "Rulebook", facts: Facts) -> dict[str, str]:
    """Field -> its value in the text as written, in the order declared; one whose text has none is not there.

    The first find that fits the field's type counts, of the first twenty. A choice is spelt as declared.
    """
    text = folding.bounded(facts.subject, facts.body)
    subjects: dict[bool, bytes] = {}
    found: dict[str, str] = {}
    for name, rule in rulebook.fields.items():
        if rule.extract is None:
            continue
        marked = rule.extract.marked
        if marked not in subjects:
            subjects[marked] = regex.subject(text, marked=marked)
        value = next(_fitting(rule, rule.extract, subjects[marked]), None)
        if value is not None:
            found[name] = value
    return found


def _fitting(rule: FieldRule, pattern: Pattern, subject: bytes) -> Iterator[str]:
    for text in pattern.captured(subject, limit=_MAX_TRIES):
        written = text.strip()[:MAX_CHARACTERS]
        value = value_of(rule, written)
        if value is not None:
            yield value if rule.type == "choice" else written


def value_of(rule: FieldRule, text: str) -> Any:
    """The text as the field's type has it: str, float, ISO date, bool; None = it is none of that type."""
    if rule.type == "number":
        return _number(text)
    if rule.type == "date":
        return _date(text)
    if rule.type == "flag":
        return _FLAGS.get(folding.fold_value(text))
    if rule.type == "choice":
        wanted = folding.fold_value(text)
        return next((each for each in rule.choices if folding.fold_value(each) == wanted), None)
    return text.strip() or None


def _number(text: str) -> float | None:
    written = _SPACES.sub("", text.strip())
    decimal = max(written.rfind(","), written.rfind("."))
    if decimal >= 0 and written.count(written[decimal]) == 1:
        whole, part = written[:decimal], written[decimal + 1 :]
        written = f"{whole.replace(',', '').replace('.', '')}.{part}"
    else:
        written = written.replace(",", "").replace(".", "")
    return float(written) if _NUMBER.match(written) and len(written) <= 40 else None


def _date(text: str) -> str | None:
    written = text.strip()
    local = _LOCAL_DATE.match(written)
    if local:
        written = f"{local[3]}-{int(local[2]):02}-{int(local[1]):02}"
    try:
        return date.fromisoformat(written).isoformat()
    except ValueError:
        return None
