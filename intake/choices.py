"""What agents have chosen for themselves at the desk, kept with their account: it is the same in every browser of theirs.

single      whether keys of one character do anything (WCAG 2.1.4)
announce    whether screen readers are told of changes
changed     command -> the keys that it has instead of its own, "" = none
"""

import re

import msgspec
from sqlalchemy import bindparam, delete, select

from intake import events
from intake.desk import DeskError
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert

MOST = 200  # commands of one agent with other keys
CHANGED = "choices_changed"  # the event's kind: the pages that they have open elsewhere read anew

_KEY = "key:"
_COMMAND = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_KEYS = re.compile(r"(?:mod\+|alt\+)?\S{1,16}(?: \S{1,16})?|")
_c = schema.agent_choices.c
_OF = Statement(select(_c.choice, _c.value).where(_c.name == bindparam("name")).order_by(_c.choice))
_KEEP = Statement(
    upsert(schema.agent_choices)
    .values({each: bindparam(each) for each in ("name", "choice", "value", "chosen_at")})
    .on_conflict_do_update(
        index_elements=[_c.name, _c.choice],
        set_={"value": bindparam("value"), "chosen_at": bindparam("chosen_at")},
    )
)
_DROP = Statement(
    delete(schema.agent_choices).where(_c.name == bindparam("name"), _c.choice == bindparam("choice"))
)


class Choices(msgspec.Struct, frozen=True):
    """What somebody has chosen; what they have not is as the desk has it."""

    single: bool = True
    announce: bool = True
    changed: dict[str, str] = {}


def of(tx: Tx, name: str) -> Choices:
    """Return what somebody has chosen."""
    rows: dict[str, str] = dict(tx.all(_OF, name=name))
    changed = {choice.removeprefix(_KEY): value for choice, value in rows.items() if choice.startswith(_KEY)}
    return Choices(rows.get("single") != "0", rows.get("announce") != "0", changed)


def turn(tx: Tx, name: str, *, single: bool | None = None, announce: bool | None = None) -> None:
    """Turn keys of one character, or announcements, on or off. None = as it is."""
    for choice, value in (("single", single), ("announce", announce)):
        if value is not None:
            _keep(tx, name, choice, str(int(value)))


def give(tx: Tx, name: str, command: str, keys: str | None) -> None:
    """Give a command other keys. None = its own again; "" = none. Raises: DeskError."""
    if not _COMMAND.fullmatch(command):
        raise DeskError(f"'{command[:64]}' is not the name of a command")
    if keys is None:
        tx.run(_DROP, name=name, choice=_KEY + command)
        _tell(tx, name)
        return
    if not _KEYS.fullmatch(keys) or not keys.isprintable():
        raise DeskError(f"'{keys[:40]}' cannot be pressed: one key, or two after each other")
    others = of(tx, name).changed.keys() - {command}
    if len(others) >= MOST:
        raise DeskError(f"there are {MOST} commands with other keys: give some their own again")
    _keep(tx, name, _KEY + command, keys)


def _keep(tx: Tx, name: str, choice: str, value: str) -> None:
    tx.run(_KEEP, name=name, choice=choice, value=value, chosen_at=tx.now)
    _tell(tx, name)


def _tell(tx: Tx, name: str) -> None:
    events.record(tx, CHANGED, actor=f"agent:{name}", agent=name)
