"""The desk's own facts of a ticket: given by rules, people or forms, or found in the text."""

from typing import Literal

import msgspec

from routing.regex import Pattern

FieldType = Literal["text", "number", "date", "flag", "choice"]


class FieldRule(msgspec.Struct, frozen=True, eq=False):
    """type: what its text must look like. extract: pattern whose first group is the value, None = not extracted.

    choices: the values a choice may have.
    """

    name: str
    type: FieldType = "text"
    extract: Pattern | None = None
    choices: tuple[str, ...] = ()
