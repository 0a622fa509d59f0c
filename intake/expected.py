"""When a customer may expect an answer: the running response target of their ticket, said in their language."""

from datetime import datetime

from intake import armaments, clocks
from intake.model import Ticket
from intake.store.engine import Tx

TARGETS = ("first_response", "next_response", "update")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_DOTS, _SLASHES, _ISO = "%d.%m.%Y, %H:%M", "%d/%m/%Y, %H:%M", "%Y-%m-%d %H:%M"
_FORMS = {
    **dict.fromkeys(
        ("bg", "cs", "da", "de", "et", "fi", "hr", "lv", "no", "pl", "ro", "ru", "sk", "sl", "tr", "uk"),
        _DOTS,
    ),
    **dict.fromkeys(("ca", "el", "es", "fr", "it", "pt", "vi"), _SLASHES),
    "hu": "%Y. %m. %d. %H:%M",
    "ja": "%Y年%m月%d日 %H:%M",
    "nl": "%d-%m-%Y, %H:%M",
    "zh": "%Y年%m月%d日 %H:%M",
}


class Expected:
    """The text of the instant; it is looked up when a template asks for it. Empty when nothing is promised."""

    def __init__(self, tx: Tx, ticket: Ticket) -> None:
        self._tx = tx
        self._ticket = ticket
        self._text: str | None = None

    def __str__(self) -> str:
        if self._text is None:
            self._text = _looked_up(self._tx, self._ticket)
        return self._text

    def __bool__(self) -> bool:
        return bool(str(self))


def written(at: datetime, language: str | None) -> str:
    """Write a local instant as it is read in a language: "23 November 2026, 10:30 CET"."""
    if language == "en":
        text = f"{at.day} {_MONTHS[at.month - 1]} {at:%Y, %H:%M}"
    else:
        text = at.strftime(_FORMS.get(language or "", _ISO))
    zone = at.tzname() or ""
    return f"{text} {zone}" if zone.isalpha() else text


def _looked_up(tx: Tx, ticket: Ticket) -> str:
    if ticket.armament is None:
        return ""
    running = {each.target: each.due_at for each in clocks.load(tx, ticket.id) if each.state == "running"}
    due_at = next((running[target] for target in TARGETS if running.get(target) is not None), None)
    if due_at is None:
        return ""
    zone = armaments.load(tx, ticket.armament).calendar.zone
    return written(due_at.astimezone(zone), ticket.language)
