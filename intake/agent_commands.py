"""Commands on the first lines of an agent's mail: `#note`, `#close`, `#assign NAME`, `#ack`, …, one a line, then the text.

Anything that is not understood is told, and nothing at all is done: half an order is worse than none.
"""

import difflib
import re
from collections.abc import Callable

import msgspec

from intake import agent_text
from intake.model import STATUSES
from routing import folding
from routing.rulebook import Rulebook
from routing.targets import PRIORITIES

HELP = (
    "#note           what you write stays inside, the customer gets nothing",
    "#close          solved; the customer's answer opens it again",
    "#assign NAME    to an agent or a team, to `me` or to `nobody`",
    "#ack            you look at it: who else would be told waits",
    "#take           you look at it, and it is yours",
    "#promise WHEN   the customer is told when you come back: thursday 15:00, in 2h; none, kept",
    "#away WHEN      you are away until then: monday 9:00, in 2h; without WHEN until #back",
    "#back           you are there again",
    f"#status NAME    {', '.join(STATUSES)}",
    f"#priority NAME  {', '.join(PRIORITIES)}",
    "#send           also when a colleague has answered meanwhile; alone: the answer that was held",
)

# A heading or an order number is none: a word right behind the sign, and a line that begins with it.
_COMMAND = re.compile(r"[\\*_]{0,3}#\s*([^\W\d_]+)\s*(?:[:=]\s*)?(.*?)[*_]{0,2}")
_DASHES = re.compile(r"[\s_\u2010-\u2015-]+")


class Misunderstood(Exception):
    """A mail that says what cannot be done: one sentence for the agent."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent asks for. text: for the customer, or the note. status, priority: None = as it is.

    promise: a moment as it was written, "none" or "kept", None = nothing is said of one. is_taken: acknowledge it and
    give it to the agent. is_assigned: assign it to assigned_to, None = to nobody. is_forced: whatever a colleague has
    said meanwhile. away: until when, as it was written, "" = until #back, None = nothing is said. commands: as they
    were understood, for the event.
    """

    text: str = ""
    is_note: bool = False
    is_forced: bool = False
    is_acknowledged: bool = False
    is_taken: bool = False
    is_assigned: bool = False
    assigned_to: str | None = None
    status: str | None = None
    priority: str | None = None
    promise: str | None = None
    away: str | None = None
    is_back: bool = False
    commands: tuple[str, ...] = ()

    @property
    def is_answer(self) -> bool:
        """Whether the customer shall get something."""
        return not self.is_note and bool(self.text or self.is_forced)


def read(text: str, *, book: Rulebook, agent: str) -> Orders:
    """Return what the text asks for. Raises: Misunderstood."""
    lines = text.splitlines()
    orders = Orders()
    while lines:
        line = agent_text.plain(lines[0])
        found = _COMMAND.fullmatch(line)
        if line and found is None:
            break
        lines.pop(0)
        if found is None:
            continue
        name, argument = found[1], found[2].strip(" .,;")
        if orders.is_note and _known(name) is None:
            lines.insert(0, line)  # a note may begin with a tag of the agent's own
            break
        orders = _obeyed(orders, name, argument, book, agent)
    rest = "\n".join([orders.text, *lines] if orders.text else lines).strip()
    return msgspec.structs.replace(orders, text=rest)


def _known(name: str) -> str | None:
    word = folding.fold(name).strip()
    return word if word in _READERS else None


def _obeyed(orders: Orders, name: str, argument: str, book: Rulebook, agent: str) -> Orders:
    word = _known(name)
    if word is None:
        raise Misunderstood(f"there is no command '#{name}'{_meant(folding.fold(name).strip(), [*_READERS])}")
    changes = _READERS[word](argument, book, agent)
    said = f"#{word} {argument}".strip() if word != "note" else "#note"
    return msgspec.structs.replace(orders, **changes, commands=(*orders.commands, said))


def _note(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
    return {"is_note": True, "text": argument}


def _alone(name: str, **changes: object) -> "Reader":
    def read_alone(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
        if argument:
            raise Misunderstood(
                f"'#{name}' stands alone on its line; '{argument[:60]}' belongs on the next one"
            )
        return changes

    return read_alone


def _assign(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
    if not argument:
        raise Misunderstood("'#assign' needs a name: an agent's, a team's, `me` or `nobody`")
    word = folding.fold(argument).strip()
    if word in ("me", "nobody"):
        return {"is_assigned": True, "assigned_to": agent if word == "me" else None}
    return {"is_assigned": True, "assigned_to": _person(argument, book)}


def _person(typed: str, book: Rulebook) -> str:
    """Return the agent or team that was meant: by name, by address, by how the name begins."""
    names = [*book.agents, *book.teams]
    by_address = [
        each.name for each in book.agents.values() if each.email and each.email.lower() == typed.lower()
    ]
    word = folding.fold(typed).strip()
    exact = [name for name in names if folding.fold(name).strip() == word]
    begun = [name for name in names if word and folding.fold(name).strip().startswith(word)]
    for found in (by_address, [name for name in names if name == typed], exact, begun):
        if len(found) == 1:
            return found[0]
        if found:
            raise Misunderstood(f"'{typed[:60]}' may be {' or '.join(found[:10])}: write the whole name")
    raise Misunderstood(f"there is no agent or team '{typed[:60]}'{_meant(typed, names)}")


def _promise(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
    if not argument:
        raise Misunderstood(
            "'#promise' needs a moment: thursday 15:00, tomorrow 9:00, in 2h; or none, or kept"
        )
    return {"promise": argument}


def _one_of(kind: str, known: tuple[str, ...]) -> "Reader":
    def read_choice(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
        word = _DASHES.sub("_", argument.casefold())
        if word not in known:
            raise Misunderstood(
                f"'{argument[:60]}' is no {kind}{_meant(word, list(known))}: {', '.join(known)}"
            )
        return {kind: word}

    return read_choice


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" — did you mean '{close[0]}'?" if close else ""


def _away(argument: str, book: Rulebook, agent: str) -> dict[str, object]:
    """`#away`, `#away until monday 9:00`, `#away for 2h`."""
    first, _, rest = argument.partition(" ")
    said = {"until": rest, "for": f"in {rest}"}.get(first.casefold(), argument) if rest else argument
    return {"away": said, "is_back": False}


Reader = Callable[[str, Rulebook, str], dict[str, object]]

_READERS: dict[str, Reader] = {
    "note": _note,
    # In the words of this product a closed ticket is not opened again: what agents mean by "close" is solved.
    "close": _alone("close", status="solved"),
    "solve": _alone("solve", status="solved"),
    "assign": _assign,
    "ack": _alone("ack", is_acknowledged=True),
    "take": _alone("take", is_taken=True),
    "promise": _promise,
    "away": _away,
    "back": _alone("back", is_back=True, away=None),
    "status": _one_of("status", STATUSES),
    "priority": _one_of("priority", PRIORITIES),
    "send": _alone("send", is_forced=True),
}
