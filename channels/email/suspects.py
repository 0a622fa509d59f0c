"""Names the lines of a mail that are worth a careful look: where a border or a quotation may begin.

Nearly every line of nearly every mail is passed over by what is asked here, so that only the few others cost time.
"""

import re
from collections.abc import Iterable

from channels.email import quote_marks
from channels.email.borders import Hints

SPACE = " \t\r\f\v\xa0\u00ad\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\ufffc\u3000\u2002\u2003\u2009\u202f"
_BARS = frozenset("|｜")
_TIME_ALONE = re.compile(rf"\n[{SPACE}]*[\d./:\-\s,]{{8}}")  # the second line of a Notes block


def of_borders(text: str, keys: list[str], hints: Hints | None) -> Iterable[int]:
    """The lines at which an older or forwarded mail may begin, in order; no other line announces one."""
    if "：" in text or " this line" in text or _TIME_ALONE.search(text):
        return range(len(keys))
    found = [
        number
        for number, key in enumerate(keys)
        if key and (":" in key or key[0] in quote_marks.MARKS or key[-1] in quote_marks.FORWARD_ENDS)
    ]
    if hints is None:
        return found
    hinted = {at for at in (hints.rest, hints.forward) if at is not None and at < len(keys)}
    return sorted(hinted.union(found))


def of_quotes(keys: list[str]) -> list[int]:
    """The lines that a quotation may begin with; no other line is quoted."""
    return [number for number, key in enumerate(keys) if ">" in key or key[:1] in _BARS]
