"""Visitors of a chat whom we never hear from again: their chat, or where they write from, stands in the list of the blocked.

It is the one list that `block` of the rules and the desk add to (intake.unwanted). Where the rules ask for it themselves they
decide what becomes of a line, and none is turned away before them. A network is written as its /64, as limits count it.
"""

from collections.abc import Sequence
from functools import lru_cache

from intake import changing, lists
from intake.model import Context
from intake.store.engine import Tx
from routing.rulebook import Rulebook


def is_blocked(tx: Tx, context: Context, names: Sequence[str]) -> bool:
    """Whether a session or an address is blocked. names: of both, "" = not known."""
    name = changing.kept_list(context) or changing.BLOCKED
    if _is_asked_for(context.rulebook, name):
        return False
    return lists.holds(tx, name, [each for each in names if each])


@lru_cache(maxsize=4)  # looked at for every line
def _is_asked_for(book: Rulebook, name: str) -> bool:
    """Whether the rules themselves decide about who stands in a list."""
    return any(used == name for _, used in book.kept_uses())
